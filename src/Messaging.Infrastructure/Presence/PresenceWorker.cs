using MediatR;
using Messaging.Application.Presence;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>The timed work of presence and typing, and their few reads and writes of the database.</summary>
public sealed class PresenceWorker(
    LivePresence presence, LiveTyping typing, MemberCache members, IServiceScopeFactory scopes, ILogger<PresenceWorker> logger)
    : BackgroundService
{
    /// <summary>Rows of one statement.</summary>
    private const int BatchSize = 1_000;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RecheckEvery = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private Task? leaving;

    /// <summary>Takes leave of the other nodes, and saves who was seen since the last save.</summary>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        // A host that is stopped twice may dispose of what the first stop still saves with: both wait for the one.
        lock (gate)
            return leaving ??= LeaveAsync(cancellationToken);
    }

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        presence.Leave();
        try
        {
            await SaveAsync(presence.TakeSeen(isLast: true), cancellationToken);
        }
        catch (Exception e)
        {
            logger.LogWarning(e, "Who was seen in the last minute could not be saved");
        }
    }

    /// <summary>Ends the watches of users who may not see each other's presence any more.</summary>
    public Task RecheckAsync(CancellationToken ct) => RecheckAsync(presence.WatchSets(), ct);

    private async Task RecheckAsync(IReadOnlyList<WatchSet> sets, CancellationToken ct)
    {
        var unrelated = new HashSet<Watch>();
        foreach (var watches in sets.SelectMany(set => set.Watched.Select(other => new Watch(set.ViewerId, other))).Distinct()
            .Chunk(BatchSize))
            unrelated.UnionWith(await SendAsync(new ListUnrelated(watches), ct));
        foreach (var set in sets)
        {
            var ended = set.Watched.Where(other => unrelated.Contains(new Watch(set.ViewerId, other))).ToHashSet(StringComparer.Ordinal);
            if (ended.Count > 0)
                presence.EndWatches(set, ended);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        Supervision.KeepRunningAsync(logger, ct => RepeatAsync(SweepEvery, SweepAsync, ct), stoppingToken),
        Supervision.KeepRunningAsync(logger, typing.TellAsync, stoppingToken),
        Supervision.KeepRunningAsync(logger, ct => RepeatAsync(SaveEvery, SaveDueAsync, ct), stoppingToken),
        Supervision.KeepRunningAsync(logger, ct => RepeatAsync(SweepEvery, RecheckChangedAsync, ct), stoppingToken),
        Supervision.KeepRunningAsync(logger, ct => RepeatAsync(RecheckEvery, RecheckAsync, ct), stoppingToken));

    private static async Task RepeatAsync(TimeSpan period, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(period);
        while (await timer.WaitForNextTickAsync(ct))
            await work(ct);
    }

    private Task RecheckChangedAsync(CancellationToken ct) => RecheckAsync(presence.TakeToRecheck(), ct);

    private Task SweepAsync(CancellationToken ct)
    {
        presence.Sweep();
        typing.Sweep();
        members.Sweep();
        return Task.CompletedTask;
    }

    private async Task SaveDueAsync(CancellationToken ct)
    {
        var seen = presence.TakeSeen();
        try
        {
            await SaveAsync(seen, ct);
        }
        catch
        {
            presence.GiveBack(seen);
            throw;
        }
    }

    private async Task SaveAsync(IReadOnlyDictionary<string, Instant> seen, CancellationToken ct)
    {
        foreach (var batch in seen.OrderBy(pair => pair.Key, StringComparer.Ordinal).Chunk(BatchSize))
            await SendAsync(new RecordLastSeen(batch), ct);
    }

    private async Task<T> SendAsync<T>(IRequest<T> request, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request, ct);
    }
}
