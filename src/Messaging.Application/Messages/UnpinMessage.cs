using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Takes a message's pin away, if it has one.</summary>
public sealed record UnpinMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Done>;

public sealed class UnpinMessageHandler(ChangeRunner changes) : IRequestHandler<UnpinMessage, Done>
{
    public Task<Done> Handle(UnpinMessage command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new UnpinChange(command), ct);

    // The conversation's lock, as for pinning.
    private sealed class UnpinChange(UnpinMessage command)
        : StoredMessageChange<Done>(command.Actor, command.ConversationId, command.MessageId)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Pins.Require(ConversationId);
        }

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place, message) = Get(set);
            conversation.EnsureMayPin(place?.Participant);

            if (set.Pins.Take(ConversationId, message))
            {
                set.Raise(
                    conversation, new MessagePinned(ConversationId), message.Seq,
                    new PinValues(message.Id, Pinned: false, command.Actor.UserId));
            }
            return default;
        }
    }
}
