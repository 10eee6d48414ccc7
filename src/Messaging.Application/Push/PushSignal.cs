namespace Messaging.Application.Push;

/// <summary>Wakes the queue that sends: notifications became due. Word can be lost, rows cannot: the queue looks by itself, too.</summary>
public sealed class PushSignal : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    public void Raise()
    {
        lock (raised)
        {
            if (raised.CurrentCount == 0)
                raised.Release();
        }
    }

    /// <summary>Returns when raised or after <paramref name="timeout"/>, whichever comes first.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken ct) => raised.WaitAsync(timeout, ct);

    public void Dispose() => raised.Dispose();
}
