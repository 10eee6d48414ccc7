using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>Has a closed conversation take messages again; one that is open stays as it is.</summary>
public sealed record ReopenConversation(Actor Actor, ConversationId ConversationId) : ICommand<ConversationView>;

public sealed class ReopenConversationHandler(ChangeRunner changes, ConversationViewStore views)
    : IRequestHandler<ReopenConversation, ConversationView>
{
    public async Task<ConversationView> Handle(ReopenConversation command, CancellationToken ct)
    {
        await changes.RunAsync(command.Actor, new ReopenChange(command), ct);
        return await views.GetChangedAsync(command.ConversationId, command.Actor, ct);
    }

    private sealed class ReopenChange(ReopenConversation command) : ConversationChange<Done>(command.Actor, command.ConversationId)
    {
        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            if (!conversation.Reopen(place?.Participant))
                return default;
            set.PostSystemMessage(conversation, new SystemMessage("conversation-reopened", Actor.UserId));
            set.Raise(conversation, new ConversationReopened(ConversationId));
            return default;
        }
    }
}
