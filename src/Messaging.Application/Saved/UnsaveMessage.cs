using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Saved;

namespace Messaging.Application.Saved;

/// <summary>Removes a message from the user's saved ones, if it is one of them.</summary>
public sealed record UnsaveMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Done>;

public sealed class UnsaveMessageHandler(ChangeRunner changes) : IRequestHandler<UnsaveMessage, Done>
{
    public Task<Done> Handle(UnsaveMessage command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new UnsaveChange(command.Actor.RequireUser(), command), ct);

    // The conversation's lock, as for saving.
    private sealed class UnsaveChange(UserId user, UnsaveMessage command)
        : StoredMessageChange<Done>(command.Actor, command.ConversationId, command.MessageId)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Saved.Require(Sought, user);
        }

        // Waits for the user's earlier saves.
        internal override bool IsMissed(ChangeSet set) => set.Saved.IsBusy(user);

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, _, message) = Get(set);
            if (set.Saved.Unsave(ConversationId, user, message.Seq))
            {
                set.Raise(
                    conversation, new MessageSaved(ConversationId, user), message.Seq,
                    new SavedState(message.Id, ConversationId, Saved: false));
            }
            return default;
        }
    }
}
