using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>
/// Limits how many requests wait for the lock of a pair of users, because each occupies one of the connections for commands, of which there
/// are 20 by default.
/// </summary>
public sealed class PairQueue
{
    /// <summary>For the same pair.</summary>
    public const int MaxWaiting = 10;

    public const int MaxWaitingInAll = 14;

    /// <summary>Of one user who blocks or unblocks.</summary>
    public const int MaxBlocking = 2;

    public const int MaxBlockingInAll = 4;

    private readonly Bounds waiting = new(MaxWaiting, MaxWaitingInAll);
    private readonly Bounds blocking = new(MaxBlocking, MaxBlockingInAll);

    /// <summary>Waits for the task; refuses if too many are waiting.</summary>
    public Task WaitAsync(string pair, Func<Task> wait) => waiting.WaitAsync(pair, wait);

    /// <summary>
    /// The same for a user who blocks or unblocks: what the other user does does not count against the limit.
    /// </summary>
    public Task BlockAsync(UserId blocker, Func<Task> wait) => blocking.WaitAsync(blocker.Value, wait);

    private sealed class Bounds(int ofOne, int inAll)
    {
        private readonly Lock gate = new();
        private readonly Dictionary<string, int> waiting = new(StringComparer.Ordinal);
        private int all;

        public async Task WaitAsync(string key, Func<Task> wait)
        {
            lock (gate)
            {
                var waiters = waiting.GetValueOrDefault(key);
                if (waiters >= ofOne || all >= inAll)
                    throw CommonErrors.Busy();
                waiting[key] = waiters + 1;
                all++;
            }
            try
            {
                await wait();
            }
            finally
            {
                lock (gate)
                {
                    all--;
                    if (--waiting[key] == 0)
                        waiting.Remove(key);
                }
            }
        }
    }
}
