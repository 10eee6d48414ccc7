using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Takes a message's pin away, if it has one.</summary>
public sealed record UnpinMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<Done>;

public sealed class UnpinMessageHandler(ConversationStore conversations, MessagePlaceStore places, PinStore pins, Outbox outbox)
    : IRequestHandler<UnpinMessage, Done>
{
    // The conversation's lock, as for pinning.
    public async Task<Done> Handle(UnpinMessage command, CancellationToken ct)
    {
        var id = command.ConversationId;
        var (conversation, participant) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        var message = await places.GetAsync(id, command.MessageId, command.Actor, ct);

        conversation.EnsureMayPin(participant);

        if (await pins.ForgetAsync(id, message.Seq, ct))
            await outbox.AppendAsync(new MessagePinned(id), new PinTold(message.Id, Pinned: false, command.Actor.UserId), message.Seq, ct);
        return default;
    }
}
