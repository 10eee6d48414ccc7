using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Pins a message for everybody in the conversation; one that is pinned stays as it is.</summary>
public sealed record PinMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId) : ICommand<PutPin>;

/// <summary>The pin as it stands.</summary>
/// <param name="Created">False for one that was there.</param>
public sealed record PutPin(PinView Pin, bool Created);

public sealed class PinMessageHandler(
    ConversationStore conversations, MessagePlaceStore places, PinStore pins, Outbox outbox, IClock clock) : IRequestHandler<PinMessage, PutPin>
{
    // The conversation's lock: two at once are counted one after the other, and nothing is pinned that is being deleted.
    public async Task<PutPin> Handle(PinMessage command, CancellationToken ct)
    {
        var (id, by) = (command.ConversationId, command.Actor.UserId);
        var (conversation, participant) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        var message = await places.GetAsync(id, command.MessageId, command.Actor, ct);

        conversation.EnsureMayPin(participant);
        message.EnsureThere();

        var created = await pins.AddAsync(new MessagePlace(id, message.Seq, message.CreatedAt), by, clock.GetCurrentInstant(), ct);
        if (created && await pins.CountAsync(id, ct) > PinStore.Limit)
            throw MessageErrors.TooManyPins(PinStore.Limit);
        if (created)
            await outbox.AppendAsync(new MessagePinned(id), new PinTold(message.Id, Pinned: true, by), message.Seq, ct);
        return new PutPin(await pins.GetAsync(id, message.Seq, command.Actor, ct), created);
    }
}
