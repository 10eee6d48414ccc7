using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Finds messages by their ids for those who may see them.</summary>
public sealed class MessageLookupStore(DbSession session)
{
    // What is left of a deleted conversation is nobody's to see. Index: ix_messages_id, in the partitions around the time that the id
    // tells; pk_conversations; pk_participants; pk_message_hidden.
    private const string FindSql =
        $"""
        SELECT m.id, m.seq, m.sender_id, m.type, m.created_at, m.deleted_at IS NOT NULL AS is_deleted, m.version
        FROM (VALUES (@ConversationId::uuid, @MessageId::uuid, @From::timestamptz, @To::timestamptz))
            AS k (conversation_id, id, first, last)
        JOIN conversations c ON c.id = k.conversation_id
        {SoughtMessage.Message}
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
        WHERE @UserId::text IS NULL OR ({VisibilitySql.Seen})
        """;

    // Index: as for one of a conversation.
    private const string FindAnySql =
        $"""
        SELECT o.conversation_id, o.seq, o.created_at
        FROM (VALUES (@MessageId::uuid, @From::timestamptz, @To::timestamptz)) AS k (id, first, last)
        JOIN messages o ON {SoughtMessage.ById}
        JOIN conversations c ON c.id = o.conversation_id
        """;

    /// <summary>Refuses, as absent, a message that is elsewhere or not the viewer's to see.</summary>
    public async Task<StoredMessage> GetAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct) =>
        await FindAsync(conversationId, id, viewer, ct) ?? throw CommonErrors.NotFound();

    /// <summary>Null for a message that is absent, elsewhere or not the viewer's to see.</summary>
    public Task<StoredMessage?> FindAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct) =>
        SoughtMessage.FindAsync(id, times => session.QuerySingleOrDefaultAsync<StoredMessage>(
            FindSql,
            new
            {
                MessageId = id.Value,
                From = times.First,
                To = times.Last,
                ConversationId = conversationId.Value,
                UserId = viewer.UserId?.Value,
            },
            ct));

    /// <summary>Where a message is, for the service, which sees every conversation; refuses, as absent, one that is nowhere.</summary>
    public async Task<MessageKey> GetAnyAsync(MessageId id, CancellationToken ct) =>
        await SoughtMessage.FindAsync(id, times => session.QuerySingleOrDefaultAsync<MessageKey>(
            FindAnySql, new { MessageId = id.Value, From = times.First, To = times.Last }, ct)) ?? throw CommonErrors.NotFound();
}
