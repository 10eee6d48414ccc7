using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Saved;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>Saves a message for the user, also in a closed or archived conversation and in a message request. Can be repeated.</summary>
public sealed record SaveMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Upserted<SavedView>>;

public sealed class SaveMessageHandler(ChangeRunner changes, MessageReader views) : IRequestHandler<SaveMessage, Upserted<SavedView>>
{
    public async Task<Upserted<SavedView>> Handle(SaveMessage command, CancellationToken ct)
    {
        var change = new SaveChange(command.Actor.RequireUser(), command);
        var (seq, at, created) = await changes.RunAsync(command.Actor, change, ct);
        // Not found if the user has cleared the history or left in the meantime.
        return new Upserted<SavedView>(new SavedView(await views.GetAsync(command.ConversationId, seq, command.Actor, ct), at), created);
    }

    // The conversation's lock keeps the message from being deleted meanwhile; that of the membership, the user from clearing or leaving.
    private sealed class SaveChange(UserId user, SaveMessage command)
        : StoredMessageChange<(long Seq, Instant At, bool Created)>(command.Actor, command.ConversationId, command.MessageId)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Saved.Require(Sought, user);
            set.Saved.RequireCount(user);
        }

        internal override bool IsMissed(ChangeSet set) => set.Saved.IsBusy(user);

        protected override (long Seq, Instant At, bool Created) DecideOn(ChangeSet set)
        {
            var (conversation, _, message) = Get(set);
            message.EnsureNotDeleted();

            var created = set.Saved.Save(ConversationId, user, message, conversation.Next(set.Now));
            if (created)
            {
                set.Raise(
                    conversation, new MessageSaved(ConversationId, user), message.Seq,
                    new SavedState(message.Id, ConversationId, Saved: true));
            }
            return (message.Seq, set.Saved.Find(ConversationId, user, message.Seq)!.Value, created);
        }
    }
}
