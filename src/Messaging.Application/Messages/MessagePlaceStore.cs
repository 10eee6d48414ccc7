using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Finds messages by their ids for those who may see them.</summary>
public sealed class MessagePlaceStore(DbSession session)
{
    // What is left of a deleted conversation is nobody's to see. Index: ix_messages_id, in the partitions around the time that the id tells;
    // pk_conversations; pk_participants; pk_message_hidden.
    private const string FindSql =
        $"""
        SELECT m.id, m.seq, m.sender_id, m.type, m.created_at, m.deleted_at IS NOT NULL AS is_deleted, m.version
        FROM messages m
        JOIN conversations c ON c.id = @ConversationId
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND {SightSql.TakesPart}
        WHERE m.id = @MessageId AND m.created_at BETWEEN @From AND @To AND m.conversation_id = @ConversationId
            AND (@UserId::text IS NULL OR ({SightSql.Seen}))
        """;

    /// <summary>Refuses, as absent, a message that is elsewhere or not the viewer's to see.</summary>
    public async Task<StoredMessage> GetAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct) =>
        await FindAsync(conversationId, id, viewer, ct) ?? throw CommonErrors.NotFound();

    /// <summary>Null for a message that is absent, elsewhere or not the viewer's to see.</summary>
    public async Task<StoredMessage?> FindAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct)
    {
        // The service that made the id may have had another clock: what is not found near the id's time is looked for everywhere.
        return await FindAsync(id.Time - Duration.FromMinutes(5), id.Time + Duration.FromMinutes(5))
            ?? await FindAsync(Instant.FromUtc(1970, 1, 1, 0, 0), Instant.FromUtc(9999, 1, 1, 0, 0));

        Task<StoredMessage?> FindAsync(Instant from, Instant to) => session.QuerySingleOrDefaultAsync<StoredMessage>(
            FindSql,
            new { MessageId = id.Value, From = from, To = to, ConversationId = conversationId.Value, UserId = viewer.UserId?.Value },
            ct);
    }
}
