using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Pins a message for everybody in the conversation; one that is pinned stays as it is.</summary>
public sealed record PinMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Upserted<PinView>>;

public sealed class PinMessageHandler(ChangeRunner changes, MessageReader views) : IRequestHandler<PinMessage, Upserted<PinView>>
{
    public async Task<Upserted<PinView>> Handle(PinMessage command, CancellationToken ct)
    {
        var (seq, pin, created) = await changes.RunAsync(command.Actor, new PinChange(command), ct);
        // Who has cleared it or gone by now has pinned it all the same.
        var message = await views.FindAsync(command.ConversationId, seq, command.Actor, ct)
            ?? await views.GetAsync(command.ConversationId, seq, Actor.Service, ct);
        return new Upserted<PinView>(new PinView(message, pin.By, pin.At), created);
    }

    // The conversation's lock: two at once are counted one after the other, and nothing is pinned that is being deleted.
    private sealed class PinChange(PinMessage command)
        : StoredMessageChange<(long Seq, Pin Pin, bool Created)>(command.Actor, command.ConversationId, command.MessageId)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Pins.Require(ConversationId);
        }

        protected override (long Seq, Pin Pin, bool Created) DecideOn(ChangeSet set)
        {
            var (conversation, place, message) = Get(set);
            var by = command.Actor.UserId;
            conversation.EnsureMayPin(place?.Participant);
            message.EnsureNotDeleted();

            var created = set.Pins.Put(ConversationId, message, new Pin(by, conversation.Next(set.Now)));
            if (created)
                set.Raise(conversation, new MessagePinned(ConversationId), message.Seq, new PinValues(message.Id, Pinned: true, by));
            return (message.Seq, set.Pins.Find(ConversationId, message.Seq)!.Value, created);
        }
    }
}
