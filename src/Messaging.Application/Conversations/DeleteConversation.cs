using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>
/// Deletes a conversation for everyone: the owner, or the service. It is gone at once; its messages are removed little by little.
/// </summary>
/// <param name="Versions">Those of which the conversation must have one; any when null.</param>
[OneTransaction("what belongs to the conversation is removed together with it")]
public sealed record DeleteConversation(Actor Actor, ConversationId ConversationId, IReadOnlyList<long>? Versions = null)
    : ITransactionCommand<Done>;

/// <summary>The conversation that is gone.</summary>
public sealed record DeletedConversation(ConversationId Id);

public sealed class DeleteConversationHandler(DbSession session, ChangeRunner changes, IClock clock)
    : IRequestHandler<DeleteConversation, Done>
{
    // Under the conversation's lock. Who has lately left is left alone by the others until the day is over: so long it is remembered who
    // they were. Index: pk_participants.
    private const string PartSql =
        """
        WITH p AS (
            DELETE FROM participants
            WHERE conversation_id = @ConversationId
            RETURNING user_id, stays_out_until
        )
        INSERT INTO departures (conversation_id, user_id, stays_out_until, ends_at)
        SELECT @ConversationId, p.user_id, p.stays_out_until, last.ends_at
        FROM p, (SELECT max(stays_out_until) AS ends_at FROM p) AS last
        WHERE last.ends_at > statement_timestamp()
        """;

    // A direct key of a pair begins with the two and is found by both: its conversation tells which. Index: pk_slugs,
    // uq_message_requests_pair.
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
        SELECT type, context_type, context_id
        FROM conversations
        WHERE id = @ConversationId
        """;

    public async Task<Done> Handle(DeleteConversation command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var members = await changes.RunAsync(command.Actor, new DeletionChange(command), ct);

        var context = await session.QuerySingleAsync<ContextRow>(ContextSql, new { ConversationId = id.Value }, ct);
        await session.ExecuteAsync(PartSql, new { ConversationId = id.Value }, ct);
        // A direct one has two, whom nobody adds to and who do not leave.
        var (key, pair) = context.Type is ConversationType.Direct
            ? (NewConversation.DirectKey(members[0], members[1], context.ToContext()),
                NewConversation.DirectKey(members[0], members[1], context: null))
            : default;
        await session.ExecuteAsync(
            DeleteSql, new { ConversationId = id.Value, DirectKey = key, Pair = pair, Now = clock.GetCurrentInstant() }, ct);
        return default;
    }

    // Its events are numbered as all others of the conversation, before there is none any more; its rows go in the same transaction.
    private sealed class DeletionChange(DeleteConversation command) : Change<IReadOnlyList<UserId>>(command.ConversationId)
    {
        internal override void Require(ChangeSet set)
        {
            set.RequireMembership(ConversationId, command.Actor);
            set.Memberships.RequireMembers(ConversationId);
        }

        protected override IReadOnlyList<UserId> DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, command.Actor);
            CommonErrors.EnsureVersion(command.Versions, conversation.Version);
            conversation.EnsureOwnedBy(place?.Participant);

            var members = set.Memberships.MembersOf(ConversationId).Select(member => member.UserId).ToList();
            foreach (var hearer in members.Select(user => (UserId?)user).Append(null))
                set.Raise(conversation, new ConversationDeleted(ConversationId, hearer), seq: null,
                    new DeletedConversation(ConversationId));
            return members;
        }
    }

    private sealed record ContextRow(ConversationType Type, string? ContextType, string? ContextId)
    {
        public ConversationContext? ToContext() => ContextType is null ? null : new ConversationContext(ContextType, ContextId!);
    }
}
