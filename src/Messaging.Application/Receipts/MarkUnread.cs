using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Receipts;

/// <summary>Makes a message the first unread one: the one way in which the read pointer moves back.</summary>
public sealed record MarkUnread(Actor Actor, ConversationId ConversationId, long Seq) : ICommand<PointerState>;

public sealed class MarkUnreadValidator : AbstractValidator<MarkUnread>
{
    public MarkUnreadValidator() =>
        RuleFor(c => c.Seq).GreaterThanOrEqualTo(1).WithMessage("The seq of a message is 1 or more.");
}

public sealed class MarkUnreadHandler(DbSession session, ConversationStore conversations, PolicySettings policies, OutboxSignal signal)
    : IRequestHandler<MarkUnread, PointerState>
{
    // Under the conversation's lock, so that none of one's own messages comes in between. Those behind the pointer do not count: they are
    // told apart once, here, and stay so. Where the message lies behind what was read, the pointer moves forward to it, which is marked and told
    // as reading is. Index: pk_messages, from the pointer on.
    private const string MoveSql =
        $"""
        WITH old AS (
            SELECT p.last_read_seq, p.last_delivered_seq,
                {ParticipantViewStore.Told} AND NOT {ConversationStore.Parted} AND NOT p.show_read_receipts AS hides
            FROM participants p
            JOIN conversations c ON c.id = @ConversationId
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId
        ),
        at AS (
            UPDATE participants p
            SET last_read_seq = @Seq - 1, last_delivered_seq = greatest(p.last_delivered_seq, @Seq - 1), has_gaps = true
            FROM conversations c
            WHERE c.id = @ConversationId AND p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL
                AND NOT p.pending AND @Seq > p.cleared_seq AND @Seq <= c.last_seq
            RETURNING c.created_at, c.last_activity_at
        ),
        read_mark AS (
            INSERT INTO read_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, @Seq - 1, now()
            FROM at, old
            WHERE @Seq - 1 > old.last_read_seq
            ON CONFLICT DO NOTHING
        ),
        received AS (
            SELECT clock_timestamp() AS moved_at, old.hides
            FROM at, old
            WHERE @Seq - 1 > old.last_delivered_seq
        ),
        delivered_mark AS (
            INSERT INTO delivered_marks (conversation_id, user_id, seq, at)
            SELECT @ConversationId, @UserId, @Seq - 1, now()
            FROM received
            ON CONFLICT DO NOTHING
        ),
        delivered_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, type, payload)
            SELECT moved_at, @ConversationId, @DeliveredEvent, jsonb_build_object(
                'userId', @UserId, 'seq', @Seq - 1, 'at', to_char(moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            FROM received
            WHERE hides
        )
        INSERT INTO participant_gaps (conversation_id, user_id, seq)
        SELECT @ConversationId, @UserId, m.seq
        FROM at
        JOIN messages m ON m.conversation_id = @ConversationId AND m.seq >= @Seq AND m.sender_id = @UserId
            AND m.created_at BETWEEN at.created_at AND at.last_activity_at
        ON CONFLICT DO NOTHING
        """;

    // In a statement of its own, which sees what the first has written. The events have their place among the conversation's: whoever sends
    // later moves the pointer later. They say that the pointer moved back, which no other event of a pointer does. Index: as for the badge.
    private const string TellSql =
        $"""
        WITH at AS (
            SELECT p.last_read_seq AS pointer, p.last_delivered_seq, clock_timestamp() AS moved_at,
                {UnreadSql.Messages} AS unread_count, {UnreadSql.Mentions} AS mention_count,
                CASE WHEN {ParticipantViewStore.Shows} AND NOT {ConversationStore.Parted} THEN NULL ELSE p.user_id END AS audience
            FROM participants p
            JOIN conversations c ON c.id = @ConversationId
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.last_read_seq = @Seq - 1 AND NOT p.pending
                AND @Seq > p.cleared_seq AND @Seq <= c.last_seq
        ),
        stamp AS (
            UPDATE conversations c
            SET event_no = c.event_no + 1,
                last_event_at = greatest(at.moved_at, (c.last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC')
            FROM at
            WHERE c.id = @ConversationId
            RETURNING c.event_no, c.last_event_at AS at
        ),
        read_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, event_no, user_id, type, payload)
            SELECT stamp.at, @ConversationId, stamp.event_no, at.audience, @ReadEvent, jsonb_build_object(
                'userId', @UserId, 'seq', pointer, 'at', to_char(stamp.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'markedUnread', true)
            FROM at, stamp
        ),
        unread_event AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT stamp.at, @ConversationId, @UserId, @UnreadEvent, jsonb_build_object('markedUnread', true)
            FROM stamp
        )
        SELECT at.pointer AS last_read_seq, at.last_delivered_seq, at.unread_count, at.mention_count
        FROM at
        """;

    public async Task<PointerState> Handle(MarkUnread command, CancellationToken ct)
    {
        command.Actor.RequireUser();
        await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        var parameters = new
        {
            ConversationId = command.ConversationId.Value,
            UserId = command.Actor.UserId!.Value.Value,
            command.Seq,
            policies.Receipts,
            ReadEvent = MessageEvents.Read,
            DeliveredEvent = MessageEvents.Delivered,
            UnreadEvent = MessageEvents.UnreadChanged,
        };

        await session.ExecuteAsync(MoveSql, parameters, ct);
        var state = await session.QuerySingleOrDefaultAsync<PointerState>(TellSql, parameters, ct);

        session.AfterCommit(signal.Raise);
        return state ?? throw CommonErrors.Invalid("#/seq", "There is no message of this seq that you can see.");
    }
}
