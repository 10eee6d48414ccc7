using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Receipts;

/// <summary>Moves delivered pointers forward, whether somebody says what was received or fetches it.</summary>
public sealed class DeliveryStore(DbSession session, PolicySettings policies, OutboxSignal signal)
{
    // Locks the receiver's participants row only. Two at once: the WHERE of the update is judged again on the row as the other left it,
    // so the pointer never moves backwards. Whoever has not accepted a request has received nothing. Between two who are parted one's own
    // devices alone learn of it. Whoever parts or rejoins them writes the row, too: where it says otherwise than when the statement began,
    // or was moved, nothing is written and the request runs again.
    private const string MoveSql =
        $"""
        WITH old AS (
            SELECT p.last_read_seq, p.last_delivered_seq, p.shown_delivered_seq, p.pending,
                least(coalesce(@Seq, c.last_seq), c.last_seq) AS target,
                CASE WHEN {ParticipantViewStore.Told} AND NOT {ConversationStore.Parted} THEN NULL ELSE p.user_id END AS audience,
                {UnreadSql.Messages} AS messages, {UnreadSql.Mentions} AS mentions
            FROM participants p
            JOIN conversations c ON c.id = p.conversation_id
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
        ),
        at AS (
            UPDATE participants p
            SET last_delivered_seq = old.target
            FROM old
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL AND NOT p.pending
                AND p.last_delivered_seq < old.target AND p.shown_delivered_seq IS NOT DISTINCT FROM old.shown_delivered_seq
            RETURNING p.last_delivered_seq, clock_timestamp() AS moved_at, old.audience
        ),
        mark AS (
            INSERT INTO delivered_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, at.last_delivered_seq, at.moved_at
            FROM at
            ON CONFLICT DO NOTHING
        ),
        delivered_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT at.moved_at, @ConversationId, at.audience, @DeliveredEvent, jsonb_build_object(
                'userId', @UserId, 'seq', last_delivered_seq, 'at', to_char(at.moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM at
        )
        SELECT old.last_read_seq, coalesce(at.last_delivered_seq, old.last_delivered_seq) AS last_delivered_seq,
            old.messages AS unread_count, old.mentions AS mention_count,
            at.last_delivered_seq IS NULL AND NOT old.pending AND old.last_delivered_seq < old.target AS changed_meanwhile
        FROM old
        LEFT JOIN at ON true
        """;

    /// <summary>To a seq, or to the newest one; null for who does not take part.</summary>
    public async Task<PointerState?> MoveAsync(ConversationId id, UserId user, long? seq, CancellationToken ct)
    {
        var move = await session.QuerySingleOrDefaultAsync<PointerMove>(
            MoveSql,
            new { ConversationId = id.Value, UserId = user.Value, Seq = seq, policies.Receipts, DeliveredEvent = MessageEvents.Delivered },
            ct);
        var state = move?.ToState();
        session.AfterCommit(signal.Raise);
        return state;
    }
}
