using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>Puts a conversation away for everyone, read-only and out of inboxes, or brings it back: the owner, or the service.</summary>
public sealed record ArchiveConversation(Actor Actor, ConversationId ConversationId, bool Archived) : ICommand<ConversationView>;

public sealed class ArchiveConversationHandler(ChangeRunner changes, ConversationViewStore views)
    : IRequestHandler<ArchiveConversation, ConversationView>
{
    public async Task<ConversationView> Handle(ArchiveConversation command, CancellationToken ct)
    {
        await changes.RunAsync(command.Actor, new ArchiveChange(command), ct);
        return await views.GetChangedAsync(command.ConversationId, command.Actor, ct);
    }

    private sealed class ArchiveChange(ArchiveConversation command) : ConversationChange<Done>(command.Actor, command.ConversationId)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Memberships.RequireAll(ConversationId);
        }

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            if (!conversation.Archive(place?.Participant, command.Archived))
                return default;
            set.Memberships.Archive(ConversationId, command.Archived);
            set.Raise(conversation, command.Archived ? new ConversationArchived(ConversationId) : new ConversationUpdated(ConversationId));
            return default;
        }
    }
}
