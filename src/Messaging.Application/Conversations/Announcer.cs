using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Tells of a conversation and its people, in the transaction that changed them.</summary>
public sealed class Announcer(DbSession session, Outbox outbox)
{
    // What clients count on from there, as this transaction leaves it. Index: pk_conversations; pk_participants, at most ten.
    private const string MomentSql =
        """
        SELECT c.last_seq, c.last_activity_at, c.participant_count, ARRAY(
            SELECT p.user_id
            FROM participants p
            WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL
            ORDER BY p.user_id
            LIMIT 10) AS participants
        FROM conversations c
        WHERE c.id = @ConversationId
        """;

    /// <summary>An event that carries the conversation as everybody sees it.</summary>
    public async Task ConversationAsync(IEvent fact, CancellationToken ct) =>
        await outbox.AppendAsync(fact, await MomentAsync(fact.ConversationId, ct), ct);

    private async Task<ConversationValues> MomentAsync(ConversationId id, CancellationToken ct) =>
        (await session.QuerySingleAsync<Row>(MomentSql, new { ConversationId = id.Value }, ct)).ToValues();

    private sealed record Row(long LastSeq, Instant LastActivityAt, int ParticipantCount, string[] Participants)
    {
        public ConversationValues ToValues() => new()
        {
            LastSeq = LastSeq,
            LastActivityAt = LastActivityAt,
            ParticipantCount = ParticipantCount,
            Participants = [.. Participants.Select(user => new UserRef(new UserId(user)))],
        };
    }
}
