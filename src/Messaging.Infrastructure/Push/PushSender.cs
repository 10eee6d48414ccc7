using System.Collections.Concurrent;
using System.Threading.Channels;
using Messaging.Application.Push;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Push;

/// <summary>Sends the pushes of one provider, several at once, as long as it answers.</summary>
public sealed class PushSender(
    IPushProvider provider, PushQueue queue, PushLanes lanes, ChannelWriter<SettledPush> settled) : IDisposable
{
    /// <summary>How many are sent at once.</summary>
    public const int Concurrency = 32;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim places = new(Concurrency, Concurrency);
    private readonly ConcurrentDictionary<Task, bool> running = new();
    private readonly PushSignal signal = new();

    public void Wake() => signal.Raise();

    /// <summary>Claims and sends until it is cancelled, and then waits for what is on its way.</summary>
    /// <param name="sending">Ends what is on its way.</param>
    public async Task RunAsync(ILogger logger, CancellationToken claiming, CancellationToken sending)
    {
        await Supervision.KeepRunningAsync(logger, ct => ClaimAsync(logger, sending, ct), claiming);
        await Task.WhenAll(running.Keys);
    }

    public void Dispose()
    {
        places.Dispose();
        signal.Dispose();
    }

    private async Task ClaimAsync(ILogger logger, CancellationToken sending, CancellationToken ct)
    {
        if (!lanes.IsOpen(provider.Name))
        {
            await Task.Delay(Glance, ct);
            return;
        }
        // Only as many as can be sent at once: whether a push is still wanted is read with the claim.
        await places.WaitAsync(ct);
        places.Release();
        var pushes = await queue.ClaimAsync(provider.Name, provider.Platforms, Math.Max(1, places.CurrentCount), ct);
        foreach (var push in pushes)
        {
            await places.WaitAsync(CancellationToken.None);
            Start(push, logger, sending);
        }
        if (pushes.Count == 0)
            await signal.WaitAsync(Poll, ct);
    }

    private void Start(ClaimedPush push, ILogger logger, CancellationToken sending)
    {
        var task = SendAsync(push, logger, sending);
        running.TryAdd(task, true);
        _ = task.ContinueWith(
            done =>
            {
                running.TryRemove(done, out _);
                places.Release();
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    // What ends without an outcome is due again when the claim is over.
    private async Task SendAsync(ClaimedPush push, ILogger logger, CancellationToken ct)
    {
        try
        {
            if (queue.Holds(push))
                await settled.WriteAsync(await TryAsync(push, ct), ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.LogError("A push by {Provider} ended with {Exception}", provider.Name, e.GetType().Name);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<SettledPush> TryAsync(ClaimedPush push, CancellationToken ct)
    {
        if (push.Message is not { } message)
        {
            PushMetrics.Count(provider.Name, PushStates.Withdrawn);
            return PushSchedule.Withdrawn(push, queue.Now);
        }
        if (push.ExpiresAt <= queue.Now)
        {
            PushMetrics.Count(provider.Name, PushStates.Failed);
            return PushSchedule.Expired(push, queue.Now);
        }
        var began = TimeProvider.System.GetTimestamp();
        var (outcome, wait) = await lanes.TryAsync(
            new PushLane(provider.Name, provider.ServerOf(message)), message.UserId, token => provider.SendAsync(message, token), ct);
        if (outcome is null)
            return PushSchedule.Postponed(push, queue.Now + wait);
        PushMetrics.Took(provider.Name, TimeProvider.System.GetElapsedTime(began));
        PushMetrics.Count(provider.Name, outcome.Result.ToString().ToLowerInvariant());
        return PushSchedule.After(push, outcome, queue.Now, Random.Shared.NextDouble());
    }
}
