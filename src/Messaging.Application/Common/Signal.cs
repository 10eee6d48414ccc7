namespace Messaging.Application.Common;

/// <summary>Wakes the one who waits. What is raised while nobody waits wakes the next wait at once; raised twice, it wakes once.</summary>
public class Signal : IDisposable
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim raised = new(0, 1);

    public void Raise()
    {
        lock (gate)
        {
            if (raised.CurrentCount == 0)
                raised.Release();
        }
    }

    /// <summary>Returns when raised or after <paramref name="timeout"/>, whichever comes first; true when raised.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct) => raised.WaitAsync(timeout, ct);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            raised.Dispose();
    }
}
