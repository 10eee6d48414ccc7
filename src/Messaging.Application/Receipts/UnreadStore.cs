using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Receipts;

/// <summary>Tells what is unread where a message has changed that, which clients cannot count themselves.</summary>
public sealed class UnreadStore(DbSession session, Outbox outbox)
{
    // In a statement of its own, which sees what was written. Index: as for the badge.
    private const string ChangedSql =
        $"""
        WITH at AS (
            SELECT p.last_read_seq AS pointer, c.last_seq
            FROM participants p
            JOIN conversations c ON c.id = @ConversationId
            WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND p.left_at IS NULL AND NOT p.pending
        )
        SELECT change.payload
        FROM at
        CROSS JOIN LATERAL ({UnreadSql.ChangedPayload}) change
        """;

    /// <summary>Tells each of the users, in the events' place among those of the conversation. Under its lock.</summary>
    public async Task TellAsync(ConversationId id, IEnumerable<UserId> users, CancellationToken ct)
    {
        var (facts, payloads) = (new List<IEvent>(), new List<JsonText>());
        foreach (var user in users)
        {
            var payload = await session.QueryAsync<JsonText>(ChangedSql, new { ConversationId = id.Value, UserId = user.Value }, ct);
            facts.AddRange(payload.Select(_ => new UnreadChanged(id, user)));
            payloads.AddRange(payload);
        }
        if (facts.Count > 0)
            await outbox.AppendAsync(facts, payloads, ct);
    }
}
