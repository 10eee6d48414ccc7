using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Has a closed conversation take messages again; one that is open stays as it is.</summary>
public sealed record ReopenConversation(Actor Actor, ConversationId ConversationId) : ICommand<ConversationView>;

public sealed class ReopenConversationHandler(
    DbSession session, ConversationStore conversations, ConversationViewStore views, MessageSender messages, Announcer announcer, IClock clock)
    : IRequestHandler<ReopenConversation, ConversationView>
{
    // Under the conversation's lock.
    private const string ReopenSql =
        """
        UPDATE conversations
        SET closed_at = NULL, closed_by = NULL, closed_reason = NULL, closed_note = NULL, version = @Version, updated_at = @Now
        WHERE id = @ConversationId
        """;

    public async Task<ConversationView> Handle(ReopenConversation command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, actor) = await conversations.GetForUpdateAsync(id, command.Actor, ct);

        if (conversation.Reopen(actor))
        {
            await session.ExecuteAsync(
                ReopenSql, new { ConversationId = id.Value, conversation.Version, Now = clock.GetCurrentInstant() }, ct);
            await messages.NoteAsync(conversation, new SystemNote("conversation-reopened", command.Actor.UserId), ct);
            await announcer.ConversationAsync(new ConversationReopened(id), ct);
        }
        return (await views.FindAsync(id, command.Actor, ct))!;
    }
}
