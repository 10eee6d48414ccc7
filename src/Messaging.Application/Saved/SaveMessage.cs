using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Saved;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>Saves a message for oneself; one that is saved stays as it is. Also in what is closed or archived, and in a request.</summary>
public sealed record SaveMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Upserted<SavedView>>;

public sealed class SaveMessageHandler(ChangeRunner changes, MessageReader views) : IRequestHandler<SaveMessage, Upserted<SavedView>>
{
    public async Task<Upserted<SavedView>> Handle(SaveMessage command, CancellationToken ct)
    {
        var change = new SaveChange(command.Actor.RequireUser(), command);
        var (seq, at, created) = await changes.RunAsync(command.Actor, change, ct);
        // Who has cleared it, or gone, by now has it saved no more.
        return new Upserted<SavedView>(new SavedView(await views.GetAsync(command.ConversationId, seq, command.Actor, ct), at), created);
    }

    // The conversation's lock: nothing is saved that is being deleted. One's own place: nor what one is clearing or leaving.
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

            var created = set.Saved.Put(ConversationId, user, message, conversation.Next(set.Now));
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
