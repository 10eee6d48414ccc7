using System.Threading.RateLimiting;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>
/// Lets requests for the same two users begin their transactions one after the other on this node, in the order of their arrival. Those
/// that wait here occupy no connection, unlike those that wait for the pair's lock (<see cref="PairQueue"/>).
/// </summary>
public sealed class PairTurns : IAsyncDisposable
{
    private const int MaxWaiting = 100;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private readonly PartitionedRateLimiter<string> turns = PartitionedRateLimiter.Create<string, string>(
        key => RateLimitPartition.GetConcurrencyLimiter(key, _ => new()
        {
            PermitLimit = 1,
            QueueLimit = MaxWaiting,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }),
        StringComparer.Ordinal);

    /// <summary>Refuses as busy if too many wait already, or the turn does not come in time.</summary>
    /// <param name="key">The same for all that has to wait for each other.</param>
    public async Task<T> TakeAsync<T>(string key, Func<Task<T>> use, CancellationToken ct)
    {
        using var turn = await AcquireAsync(key, ct);
        return turn.IsAcquired ? await use() : throw CommonErrors.Busy();
    }

    public ValueTask DisposeAsync() => turns.DisposeAsync();

    private async Task<RateLimitLease> AcquireAsync(string key, CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        waiting.CancelAfter(MaxWait);
        try
        {
            return await turns.AcquireAsync(key, 1, waiting.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw CommonErrors.Busy();
        }
    }
}
