using System.Threading.RateLimiting;
using Messaging.Domain.Common;

namespace Messaging.Application.Common;

/// <summary>
/// Lets costly work be done in turns: one at a time of a user, or a few, and few in all, in the order of their coming. No wait is long.
/// </summary>
/// <param name="atOnce">How many work at once; null for those of each user, however many these are.</param>
/// <param name="patience">How long one waits at most.</param>
/// <param name="ofUser">How many of one user work at once.</param>
public sealed class UserQueue(int? atOnce, TimeSpan patience, int ofUser = 1) : IAsyncDisposable
{
    private const int Waiting = 100;
    private const int WaitingOfUser = 20;

    private readonly ConcurrencyLimiter? all = atOnce is { } most ? new(Of(most, Waiting)) : null;
    private readonly PartitionedRateLimiter<UserId> own =
        PartitionedRateLimiter.Create<UserId, UserId>(
            user => RateLimitPartition.GetConcurrencyLimiter(user, _ => Of(ofUser, WaitingOfUser)));

    /// <summary>The turn, which ends when it is disposed; null when it does not come in time, or too many wait already.</summary>
    /// <param name="user">Null for the service, which waits for a place alone.</param>
    public async Task<IDisposable?> TryTakeAsync(UserId? user, CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        waiting.CancelAfter(patience);
        var turn = new Turn();
        try
        {
            var isMine = (user is not { } one || turn.Holds(await own.AcquireAsync(one, 1, waiting.Token)))
                && (all is null || turn.Holds(await all.AcquireAsync(1, waiting.Token)));
            if (isMine)
                return turn;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
        }
        catch
        {
            turn.Dispose();
            throw;
        }
        turn.Dispose();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await own.DisposeAsync();
        if (all is not null)
            await all.DisposeAsync();
    }

    private static ConcurrencyLimiterOptions Of(int atOnce, int waiting) =>
        new() { PermitLimit = atOnce, QueueLimit = waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst };

    private sealed class Turn : IDisposable
    {
        private readonly Stack<RateLimitLease> leases = [];

        public bool Holds(RateLimitLease lease)
        {
            leases.Push(lease);
            return lease.IsAcquired;
        }

        public void Dispose()
        {
            while (leases.TryPop(out var lease))
                lease.Dispose();
        }
    }
}
