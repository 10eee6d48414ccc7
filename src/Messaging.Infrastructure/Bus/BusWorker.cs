using System.Diagnostics;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// Carries the bus. What is published within a moment goes together; what a broken link carried is lost. A link over which not even this
/// node's own beat comes back is broken, whatever it says of itself.
/// </summary>
public sealed class BusWorker(BusQueue queue, IBusCarrier carrier, BusKey key, IClock clock, ILogger<BusWorker> logger) : BackgroundService
{
    // PostgreSQL takes less than 8,000 bytes, and the seal comes on top.
    private const int MaxPayload = 7_500;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FirstMoment = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(1);

    // Whoever floods the bus does not flood the log.
    private static readonly TimeSpan WarnEvery = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource allSent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BusSeal? seal;
    private long? warnedAt;

    /// <summary>Is up before the server listens, unless that takes long: nothing waits for a broker.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        queue.AssumedNodes = carrier.AssumedNodes;
        await base.StartAsync(cancellationToken);
        await begun.Task.WaitAsync(FirstMoment, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Sends what waits, such as a goodbye, before it ends.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Complete();
        await allSent.Task.WaitAsync(LastMoment, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, CarryAsync, stoppingToken);

    private async Task CarryAsync(CancellationToken ct)
    {
        seal ??= new BusSeal(await key.GetAsync(ct), clock);
        await using var link = await carrier.ConnectAsync(Hear, ct);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        queue.Connected();
        begun.TrySetResult();
        Task[] work = [link.WatchAsync(end.Token), SendAsync(link, end.Token), BeatAsync(end.Token)];
        try
        {
            await await Task.WhenAny(work);
        }
        finally
        {
            queue.Disconnected();
            await end.CancelAsync();
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Hear(ReadOnlySpan<byte> wire)
    {
        if (seal!.Open(wire) is { } payload)
        {
            queue.Hear(payload);
        }
        else if (warnedAt is null || Stopwatch.GetElapsedTime(warnedAt.Value) >= WarnEvery)
        {
            warnedAt = Stopwatch.GetTimestamp();
            logger.LogWarning("Over the bus came what no node of this installation sent just now; it is dropped");
        }
    }

    private async Task SendAsync(IBusLink link, CancellationToken ct)
    {
        while (await queue.WaitAsync(ct))
        {
            while (queue.Take(MaxPayload) is { } payload)
                await link.SendAsync(seal!.Seal(payload), ct);
            await Task.Delay(Moment, ct);
        }
        allSent.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
    }

    private async Task BeatAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(BusQueue.BeatEvery);
        while (await timer.WaitForNextTickAsync(ct))
        {
            if (!queue.IsUp)
                throw new TimeoutException($"Nothing has come over the bus for {BusQueue.Silence.TotalSeconds} s.");
            queue.Beat();
        }
    }
}
