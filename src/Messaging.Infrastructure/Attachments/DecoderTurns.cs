using System.Threading.RateLimiting;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Whose image is decoded when: one of a user at a time and few in all, in the order of their coming. Nobody waits for long.</summary>
public sealed class DecoderTurns(int atOnce, TimeSpan patience) : IAsyncDisposable
{
    private const int Waiting = 100;
    private const int WaitingOfUser = 20;

    private readonly ConcurrencyLimiter all = new(Of(atOnce, Waiting));
    private readonly PartitionedRateLimiter<UserId> own =
        PartitionedRateLimiter.Create<UserId, UserId>(user => RateLimitPartition.GetConcurrencyLimiter(user, _ => Of(1, WaitingOfUser)));

    /// <summary>Does the work in its turn. Refuses, as unavailable, who would wait too long.</summary>
    public async Task<T> RunAsync<T>(UserId user, Func<Task<T>> work, CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        waiting.CancelAfter(patience);
        using var first = await WaitAsync(own.AcquireAsync(user, 1, waiting.Token), ct);
        using var then = await WaitAsync(all.AcquireAsync(1, waiting.Token), ct);
        return await work();
    }

    public async ValueTask DisposeAsync()
    {
        await own.DisposeAsync();
        await all.DisposeAsync();
    }

    private static async Task<RateLimitLease> WaitAsync(ValueTask<RateLimitLease> turn, CancellationToken ct)
    {
        try
        {
            var lease = await turn;
            return lease.IsAcquired ? lease : throw AttachmentErrors.DecoderBusy();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw AttachmentErrors.DecoderBusy();
        }
    }

    private static ConcurrencyLimiterOptions Of(int atOnce, int waiting) =>
        new() { PermitLimit = atOnce, QueueLimit = waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst };
}
