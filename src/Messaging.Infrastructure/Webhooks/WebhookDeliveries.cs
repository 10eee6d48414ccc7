using System.Collections.Concurrent;
using System.Diagnostics;
using Dapper;
using Messaging.Application.Webhooks;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>
/// Delivers what is due, on every node: takes lanes, goes through each in order until a try fails, and lets them go. Webhooks do not wait
/// for each other: each has its own share of what is under way, which is smaller the more is under way.
/// </summary>
sealed class WebhookDeliveries(
    DirectDataSource database, WebhookCaller caller, DeliveryResults results, DeliverySignal signal, ILogger<WebhookDeliveries> logger)
    : BackgroundService
{
    private const int Room = 2_048;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ReadAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromSeconds(15);

    // From when on another node may soon take a lane: nothing more of it is sent.
    private static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(8);

    // Within this time a webhook's new address and secret hold, and one that is disabled or deleted is called no more.
    private static readonly TimeSpan HoldsFor = TimeSpan.FromSeconds(1);

    // So long calls may end by themselves when the node stops.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly LaneLooks looks = new(TimeProvider.System);
    private readonly ConcurrentDictionary<ClaimedLane, Task> underWay = new(ReferenceEqualityComparer.Instance);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var calls = new CancellationTokenSource();
        using var writing = new CancellationTokenSource();
        var written = Supervision.KeepRunningAsync(logger, WriteAsync, writing.Token);
        await Supervision.KeepRunningAsync(logger, ct => TakeAsync(calls.Token, ct), stoppingToken);
        calls.CancelAfter(Grace);
        await Task.WhenAll(underWay.Values);
        results.Complete();
        writing.CancelAfter(Grace);
        await written;

        async Task WriteAsync(CancellationToken ct)
        {
            await results.WriteAsync(ct);
            await writing.CancelAsync();
        }
    }

    private async Task TakeAsync(CancellationToken calls, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(LaneClaims.SessionSql, cancellationToken: ct));
        var claims = new LaneClaims(connection, looks);
        var measured = 0L;
        while (true)
        {
            await KeepAsync(claims, ct);
            if (measured == 0 || Stopwatch.GetElapsedTime(measured) >= MeasureEvery)
            {
                WebhookMetrics.Waits(await claims.ReadOldestAsync(ct));
                measured = Stopwatch.GetTimestamp();
            }
            var busy = underWay.Keys.GroupBy(lane => lane.WebhookId).ToDictionary(its => its.Key, its => its.Count());
            var count = busy.Values.Sum();
            var lanes = count < Room ? await claims.TakeAsync(busy, ShareOf(count), Room - count, ct) : [];
            lanes.ForEach(lane => Begin(lane, calls));
            if (lanes.Count == 0)
                await signal.WaitAsync(Poll, ct);
        }
    }

    // What it has stays its own, and is sent where its owners say now.
    private async Task KeepAsync(LaneClaims claims, CancellationToken ct)
    {
        var lanes = underWay.Keys;
        var unheard = lanes.Where(lane => lane.Unheard >= RenewAfter).ToList();
        if (unheard.Count > 0)
            await claims.RenewAsync(unheard, ct);
        if (lanes.Any(lane => lane.Unread >= ReadAfter))
            await claims.ReadWebhooksAsync([.. lanes], ct);
    }

    private static int ShareOf(int count) => count switch { < Room / 4 => 32, < Room / 2 => 8, _ => 2 };

    private void Begin(ClaimedLane lane, CancellationToken calls)
    {
        var begun = new TaskCompletionSource();
        underWay[lane] = begun.Task;
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await GoThroughAsync(lane, calls);
                }
                finally
                {
                    results.Release(lane, () => underWay.TryRemove(lane, out _));
                    begun.SetResult();
                }
            },
            CancellationToken.None);
    }

    private async Task GoThroughAsync(ClaimedLane lane, CancellationToken calls)
    {
        foreach (var delivery in lane.Deliveries.TakeWhile(delivery => delivery.IsDue))
        {
            if (lane.Unheard >= HeldFor || lane.Unread >= HoldsFor || calls.IsCancellationRequested || lane.Webhook is not { } webhook)
                return;
            try
            {
                var tried = await caller.TryAsync(lane, webhook, delivery, calls);
                results.Add(tried);
                if (tried.State is WebhookDeliveryState.Pending)
                    return;
            }
            catch (OperationCanceledException) when (calls.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
