using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>
/// List who has received and read a message, by user id. Everybody who sees the message may know it, as everybody sees the pointers.
/// </summary>
public sealed record ListReceipts(Actor Actor, ConversationId ConversationId, MessageId MessageId, string? Cursor, int Limit)
    : IQuery<ReceiptPage>;

public enum ReceiptStatus
{
    Sent,
    Delivered,
    Read,
}

/// <summary>Whether one recipient has received and read a message.</summary>
/// <param name="DeliveredAt">Null when not known.</param>
/// <param name="ReadAt">Null if not read, or if the user hides receipts.</param>
public sealed record ReceiptView(UserId UserId, ReceiptStatus Status, Instant? DeliveredAt, Instant? ReadAt);

/// <summary>
/// The receipts of a message. Where the policy turns receipts off, only the recipients are counted.
/// </summary>
/// <param name="RecipientCount">Current participants who joined before it was sent, without its sender.</param>
/// <param name="DeliveredCount">Number of them who have received it, including those who have read it.</param>
/// <param name="ReadCount">Number of them who have read it and share their receipts.</param>
/// <param name="NextCursor">Pass it as <c>?cursor=</c> for the next page; null on the last page. Opaque to clients.</param>
public sealed record ReceiptPage(
    int RecipientCount, int DeliveredCount, int ReadCount, IReadOnlyList<ReceiptView> Items, string? NextCursor);

public sealed class ListReceiptsValidator : AbstractValidator<ListReceipts>
{
    public ListReceiptsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListReceiptsHandler(DbSession session, MessageLookupStore places, PolicySettings policies)
    : IRequestHandler<ListReceipts, ReceiptPage>
{
    // Those of the one conversation: at most the group's size. Index: pk_participants.
    private const string CountsSql =
        $"""
        SELECT count(*)::integer AS recipient_count,
            (count(*) FILTER (WHERE {ParticipantViewStore.ShownDelivered} >= @Seq))::integer AS delivered_count,
            (count(*) FILTER (WHERE {ParticipantViewStore.ShownRead} >= @Seq))::integer AS read_count
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL AND p.joined_seq < @Seq AND p.user_id IS DISTINCT FROM @SenderId
            AND {ConversationStore.Visible}
        """;

    // Index: pk_participants, from the cursor on; pk_read_marks and pk_delivered_marks, each the first mark that is not before the message.
    // Of who hides how far one has read, what was received is told from what was received alone.
    private const string PageSql =
        $"""
        SELECT p.user_id,
            CASE WHEN told.read_seq >= @Seq THEN 'read'
                WHEN told.delivered_seq >= @Seq THEN 'delivered'
                ELSE 'sent' END AS status,
            least(d.at, r.at) AS delivered_at, r.at AS read_at
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        CROSS JOIN LATERAL (
            SELECT {ParticipantViewStore.ShownRead} AS read_seq, {ParticipantViewStore.ShownDelivered} AS delivered_seq
        ) told
        LEFT JOIN LATERAL (
            SELECT m.at
            FROM read_marks m
            WHERE told.read_seq >= @Seq
                AND m.conversation_id = @ConversationId AND m.user_id = p.user_id AND m.seq >= @Seq
            ORDER BY m.seq
            LIMIT 1
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT m.at
            FROM delivered_marks m
            WHERE told.delivered_seq >= @Seq AND m.conversation_id = @ConversationId AND m.user_id = p.user_id AND m.seq >= @Seq
            ORDER BY m.seq
            LIMIT 1
        ) d ON true
        WHERE p.conversation_id = @ConversationId AND p.user_id > @After AND p.left_at IS NULL AND p.joined_seq < @Seq
            AND p.user_id IS DISTINCT FROM @SenderId AND {ParticipantViewStore.ReceiptsAreOn} AND {ConversationStore.Visible}
        ORDER BY p.user_id
        LIMIT @Take
        """;

    public async Task<ReceiptPage> Handle(ListReceipts query, CancellationToken ct)
    {
        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        var place = await places.GetAsync(query.ConversationId, query.MessageId, query.Actor, ct);
        var parameters = new
        {
            ConversationId = query.ConversationId.Value,
            UserId = query.Actor.UserId?.Value,
            place.Seq,
            SenderId = place.SenderId?.Value,
            After = after,
            Take = query.Limit + 1,
            policies.Receipts,
        };
        return await session.QueryBatchAsync(
            CountsSql + ";" + PageSql,
            parameters,
            async grid =>
            {
                var counts = await grid.ReadSingleAsync<CountsRow>();
                var rows = (await grid.ReadAsync<ReceiptView>()).ToList();
                var page = Page.Of(rows, query.Limit, view => PageCursor.Encode(view.UserId.Value));
                return new ReceiptPage(counts.RecipientCount, counts.DeliveredCount, counts.ReadCount, page.Items, page.NextCursor);
            },
            ct);
    }

    private sealed record CountsRow(int RecipientCount, int DeliveredCount, int ReadCount);
}
