using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Receipts;

/// <summary>Moves one's read pointer forward, and the delivered one with it.</summary>
/// <param name="Seq">The newest seq that was read; the conversation's newest when absent. What lies beyond that means the newest.</param>
public sealed record MarkRead(Actor Actor, ConversationId ConversationId, long? Seq) : IStatementCommand<PointerState>;

/// <summary>Where one's pointers stand and what is unread behind them.</summary>
public sealed record PointerState(long LastReadSeq, long LastDeliveredSeq, long UnreadCount, long MentionCount);

/// <summary>The answer of a statement that moves one's pointers.</summary>
/// <param name="ChangedMeanwhile">Nothing was written: the row is not as it was when the statement began.</param>
internal sealed record PointerMove(long LastReadSeq, long LastDeliveredSeq, long UnreadCount, long MentionCount, bool ChangedMeanwhile)
{
    public PointerState ToState() =>
        ChangedMeanwhile ? throw new ChangedMeanwhileException() : new(LastReadSeq, LastDeliveredSeq, UnreadCount, MentionCount);
}

public sealed class MarkReadValidator : AbstractValidator<MarkRead>
{
    public MarkReadValidator() =>
        RuleFor(c => c.Seq).GreaterThanOrEqualTo(0).WithMessage("A seq is 0 or more.");
}

public sealed class MarkReadHandler(DbSession session, PolicySettings policies, OutboxSignal signal) : IRequestHandler<MarkRead, PointerState>
{
    // Locks the reader's participants row only, never the conversation. Two reads at once: the WHERE of the update is judged
    // again on the row as the other left it, so the pointer never moves backwards. Whoever has not accepted a request marks nothing.
    // Of who hides how far one has read, the others learn that it was received. Between two who are parted one's own devices alone learn of
    // it. Whoever parts or rejoins them writes the row, too: where it says otherwise than when the statement began, or was moved, nothing
    // is written and the command runs again. The events' time is that of holding the row: the statement may have begun, and waited, before
    // another moved the pointer.
    private const string MarkReadSql =
        $"""
        WITH old AS (
            SELECT c.last_seq, p.last_read_seq, p.last_delivered_seq, p.shown_delivered_seq, p.pending,
                least(coalesce(@Seq, c.last_seq), c.last_seq) AS target,
                CASE WHEN {ParticipantViewStore.Shows} AND NOT {ConversationStore.Parted} THEN NULL ELSE p.user_id END AS audience,
                {ParticipantViewStore.Told} AND NOT {ConversationStore.Parted} AND NOT p.show_read_receipts AS hides,
                {UnreadSql.Messages} AS messages, {UnreadSql.Mentions} AS mentions
            FROM participants p
            JOIN conversations c ON c.id = p.conversation_id
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        ),
        at AS (
            UPDATE participants p
            SET last_read_seq = old.target,
                last_delivered_seq = greatest(p.last_delivered_seq, old.target),
                last_read_at = now()
            FROM old
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL AND NOT p.pending
                AND p.last_read_seq < old.target AND p.shown_delivered_seq IS NOT DISTINCT FROM old.shown_delivered_seq
            RETURNING p.last_read_seq AS pointer, p.last_delivered_seq, old.last_seq, clock_timestamp() AS moved_at,
                old.audience, old.hides
        ),
        change AS (
            SELECT counted.payload, (counted.payload ->> 'unreadCount')::bigint AS messages,
                (counted.payload ->> 'mentionCount')::bigint AS mentions
            FROM at
            CROSS JOIN LATERAL ({UnreadSql.ChangedPayload}) counted
        ),
        mark AS (
            INSERT INTO read_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, pointer, now()
            FROM at
            ON CONFLICT DO NOTHING
        ),
        received AS (
            SELECT at.last_delivered_seq, at.moved_at, at.hides
            FROM at, old
            WHERE at.last_delivered_seq > old.last_delivered_seq
        ),
        delivered_mark AS (
            INSERT INTO delivered_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, last_delivered_seq, now()
            FROM received
            ON CONFLICT DO NOTHING
        ),
        delivered_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, type, payload)
            SELECT moved_at, @ConversationId, @DeliveredEvent, jsonb_build_object(
                'userId', @UserId, 'seq', last_delivered_seq, 'at', to_char(moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM received
            WHERE hides
        ),
        read_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT at.moved_at, @ConversationId, at.audience, @ReadEvent, jsonb_build_object(
                'userId', @UserId, 'seq', pointer, 'at', to_char(at.moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM at
        ),
        unread_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT at.moved_at, @ConversationId, @UserId, @UnreadEvent, change.payload
            FROM at, change, old
            WHERE change.messages <> old.messages OR change.mentions <> old.mentions
        )
        SELECT coalesce(at.pointer, old.last_read_seq) AS last_read_seq,
            coalesce(at.last_delivered_seq, old.last_delivered_seq) AS last_delivered_seq,
            coalesce(change.messages, old.messages) AS unread_count,
            coalesce(change.mentions, old.mentions) AS mention_count,
            at.pointer IS NULL AND NOT old.pending AND old.last_read_seq < old.target AS changed_meanwhile
        FROM old
        LEFT JOIN at ON true
        LEFT JOIN change ON true
        """;

    public async Task<PointerState> Handle(MarkRead command, CancellationToken ct)
    {
        var move = await session.QuerySingleOrDefaultAsync<PointerMove>(
            MarkReadSql,
            new
            {
                ConversationId = command.ConversationId.Value,
                UserId = command.Actor.RequireUser().Value,
                command.Seq,
                policies.Receipts,
                ReadEvent = MessageEvents.Read,
                DeliveredEvent = MessageEvents.Delivered,
                UnreadEvent = MessageEvents.UnreadChanged,
            },
            ct);
        var state = move?.ToState() ?? throw CommonErrors.NotFound();
        session.AfterCommit(signal.Raise);
        return state;
    }
}
