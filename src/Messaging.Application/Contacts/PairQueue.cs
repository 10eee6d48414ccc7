using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>
/// Bounds how many wait for what stands between two people, since each keeps a connection from all other commands, of which there are 20
/// unless told otherwise.
/// </summary>
public sealed class PairQueue
{
    /// <summary>For the same two.</summary>
    public const int MaxWaiting = 10;

    public const int MaxWaitingInAll = 14;

    /// <summary>Of one who blocks, or lifts blocks.</summary>
    public const int MaxBlocking = 2;

    public const int MaxBlockingInAll = 4;

    private readonly Bounds waiting = new(MaxWaiting, MaxWaitingInAll);
    private readonly Bounds blocking = new(MaxBlocking, MaxBlockingInAll);

    /// <summary>Waits by the task; refuses who would be one too many.</summary>
    public Task WaitAsync(string pair, Func<Task> wait) => waiting.WaitAsync(pair, wait);

    /// <summary>
    /// The same for who blocks somebody, or lifts a block: nothing that the other one of the two does counts against that.
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
