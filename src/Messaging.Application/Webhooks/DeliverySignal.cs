namespace Messaging.Application.Webhooks;

/// <summary>Wakes this node's deliveries: something may be due. Word can be lost, rows cannot.</summary>
public sealed class DeliverySignal : IDisposable
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

    /// <summary>Returns when raised, or after <paramref name="timeout"/>.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken ct) => raised.WaitAsync(timeout, ct);

    public void Dispose() => raised.Dispose();
}
