using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Deletes a conversation for everyone: the owner, or the service. It is gone at once; its messages are removed little by little.</summary>
/// <param name="Versions">Those of which the conversation must have one; any when null.</param>
public sealed record DeleteConversation(Actor Actor, ConversationId ConversationId, IReadOnlyList<long>? Versions = null) : ITransactionCommand<Done>;

/// <summary>The conversation that is gone.</summary>
public sealed record DeletedConversation(ConversationId Id);

public sealed class DeleteConversationHandler(DbSession session, ConversationStore conversations, Outbox outbox, IClock clock)
    : IRequestHandler<DeleteConversation, Done>
{
    // Under the conversation's lock. Who has lately left is left alone by the others until the day is over: so long it is remembered who
    // they were. Index: pk_participants.
    private const string MembersSql =
        """
        WITH p AS (
            DELETE FROM participants
            WHERE conversation_id = @ConversationId
            RETURNING user_id, left_at, stays_out_until
        ),
        d AS (
            INSERT INTO departures (conversation_id, user_id, stays_out_until, ends_at)
            SELECT @ConversationId, p.user_id, p.stays_out_until, last.ends_at
            FROM p, (SELECT max(stays_out_until) AS ends_at FROM p) AS last
            WHERE last.ends_at > statement_timestamp()
        )
        SELECT user_id, left_at IS NULL AS present
        FROM p
        """;

    // A direct key of a pair begins with the two and is found by both: its conversation tells which. Index: pk_slugs, uq_message_requests_pair.
    private const string DeleteSql =
        """
        WITH s AS (
            DELETE FROM slugs
            WHERE slug = (SELECT slug FROM conversations WHERE id = @ConversationId)
        ),
        d AS (
            DELETE FROM direct_keys
            WHERE direct_key = @DirectKey AND conversation_id = @ConversationId
        ),
        request AS (
            DELETE FROM message_requests
            WHERE pair = @Pair AND status <> 'accepted' AND conversation_id = @ConversationId
        ),
        purge AS (
            INSERT INTO purges (conversation_id, deleted_at)
            VALUES (@ConversationId, @Now)
        )
        DELETE FROM conversations
        WHERE id = @ConversationId
        """;

    // Index: pk_conversations.
    private const string ContextSql =
        """
        SELECT context_type AS type, context_id AS id
        FROM conversations
        WHERE id = @ConversationId
        """;

    public async Task<Done> Handle(DeleteConversation command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        if (command.Versions?.Contains(conversation.Version) == false)
            throw CommonErrors.VersionMismatch();
        conversation.EnsureOwnedBy(actor);

        var context = await session.QuerySingleAsync<ContextRow>(ContextSql, new { ConversationId = id.Value }, ct);
        var members = await session.QueryAsync<Member>(MembersSql, new { ConversationId = id.Value }, ct);
        var present = members.Where(member => member.Present).Select(member => (UserId?)member.UserId).Append(null).ToList();
        await outbox.AppendAsync(
            [.. present.Select(user => new ConversationDeleted(id, user))], [.. present.Select(_ => new DeletedConversation(id))], ct);
        var (one, other) = conversation.Type is ConversationType.Direct ? (members[0].UserId, members[1].UserId) : default;
        await session.ExecuteAsync(
            DeleteSql,
            new
            {
                ConversationId = id.Value,
                DirectKey = conversation.Type is ConversationType.Direct ? Conversation.DirectKey(one, other, context.ToContext()) : null,
                Pair = conversation.Type is ConversationType.Direct ? Conversation.DirectKey(one, other, context: null) : null,
                Now = clock.GetCurrentInstant(),
            },
            ct);
        return default;
    }

    private sealed record Member(UserId UserId, bool Present);

    private sealed record ContextRow(string? Type, string? Id)
    {
        public ConversationContext? ToContext() => Type is null ? null : new ConversationContext(Type, Id!);
    }
}
