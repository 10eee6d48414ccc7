using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Puts a conversation away for everyone, read-only and out of inboxes, or brings it back: the owner, or the service.</summary>
public sealed record ArchiveConversation(Actor Actor, ConversationId ConversationId, bool Archived) : ICommand<ConversationView>;

public sealed class ArchiveConversationHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, Announcer announcer, IClock clock)
    : IRequestHandler<ArchiveConversation, ConversationView>
{
    // Under the conversation's lock, so nobody joins meanwhile. The participants' mark is what finds it among archived ones.
    private const string ArchiveSql =
        """
        WITH c AS (
            UPDATE conversations
            SET archived_at = CASE WHEN @Archived THEN @Now::timestamptz END, version = @Version, updated_at = @Now
            WHERE id = @ConversationId
            RETURNING id
        )
        UPDATE participants p
        SET archived_for_all = @Archived
        FROM c
        WHERE p.conversation_id = @ConversationId
        """;

    public async Task<ConversationView> Handle(ArchiveConversation command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);

        if (conversation.Archive(actor, command.Archived))
        {
            await session.ExecuteAsync(
                ArchiveSql, new { ConversationId = id.Value, command.Archived, conversation.Version, Now = clock.GetCurrentInstant() }, ct);
            await announcer.ConversationAsync(command.Archived ? new ConversationArchived(id) : new ConversationUpdated(id), ct);
        }
        return (await views.FindAsync(id, command.Actor, ct))!;
    }
}
