namespace Messaging.Application.Events;

/// <summary>Wakes this node's reader of the feed: after a move by its own sequencer, or by another node's word.</summary>
public sealed class FeedSignal : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);
    private long newest;

    /// <summary>Says that the feed goes up to <paramref name="position"/> at least; word that comes twice wakes once.</summary>
    public void Announce(long position)
    {
        lock (raised)
        {
            if (position <= newest)
                return;
            newest = position;
            if (raised.CurrentCount == 0)
                raised.Release();
        }
    }

    /// <summary>Positions begin anew: what comes next is news, however low.</summary>
    public void Forget()
    {
        lock (raised)
            newest = 0;
    }

    /// <summary>
    /// Returns when something was announced, or after <paramref name="timeout"/>: word can be lost, rows cannot. True when announced.
    /// </summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct) => raised.WaitAsync(timeout, ct);

    public void Dispose() => raised.Dispose();
}
