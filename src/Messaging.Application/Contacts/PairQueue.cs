using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>Bounds how many wait for what stands between the same two, since each keeps a connection from all other commands.</summary>
public sealed class PairQueue
{
    public const int MaxWaiting = 10;

    private readonly Lock gate = new();
    private readonly Dictionary<string, int> waiting = new(StringComparer.Ordinal);

    /// <summary>Waits by the task; refuses who would be one too many.</summary>
    public async Task WaitAsync(string pair, Func<Task> wait)
    {
        lock (gate)
        {
            var waiters = waiting.GetValueOrDefault(pair);
            if (waiters >= MaxWaiting)
                throw CommonErrors.Busy();
            waiting[pair] = waiters + 1;
        }
        try
        {
            await wait();
        }
        finally
        {
            lock (gate)
            {
                if (--waiting[pair] == 0)
                    waiting.Remove(pair);
            }
        }
    }
}
