using Messaging.Application.Events;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Notifications;

/// <summary>
/// Follows the feed for what users are to be notified of, and for what they are not any more: nothing of it costs whoever sends or reads.
/// </summary>
public sealed class NotificationFollower(
    NotificationMaker maker, DirectDataSource database, FeedSignal signal, EventRenderer renderer, ILogger<NotificationFollower> logger)
    : FeedFollower("notifications", database, signal, renderer, logger)
{
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    private Action? wake;

    // The messages of a conversation that are worked on at once raise each of its entries once.
    protected override int MostEvents => 10_000;

    protected override Task<Decision> DecideAsync(
        FeedTail tail, FeedCursor after, IReadOnlyList<FeedRow> rows, CancellationToken ct) =>
        Task.FromResult(Decide([.. rows.Take(NotificationMaker.CountOf(rows))], ct));

    // What would cost senders more than a tenth of the time waits, for as long as nobody minds, and costs less by that.
    protected override TimeSpan RestAfter(TimeSpan work) =>
        TimeSpan.FromTicks(Math.Clamp(9 * work.Ticks, Gather.Ticks, LongestRest.Ticks));

    private Decision Decide(IReadOnlyList<FeedRow> rows, CancellationToken ct) => new(
        rows.Count,
        NotificationMaker.IsConcernedBy(rows) ? async connection => wake = await maker.WriteAsync(connection, rows, ct) : null);

    // What was written is committed by now.
    protected override Task<bool> GoOnAsync(Turn turn, FeedTail tail, FeedCursor at, CancellationToken ct)
    {
        wake?.Invoke();
        wake = null;
        return Task.FromResult(false);
    }
}
