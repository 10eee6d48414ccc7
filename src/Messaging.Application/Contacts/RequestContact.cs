using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Sends a contact request; accepts the other user's request if there is one.</summary>
[OneTransaction("the contact is decided under the pair's lock and applied to conversations")]
public sealed record RequestContact(Actor Actor, UserId UserId) : ITransactionCommand<Upserted<ContactView>>;

public sealed class RequestContactHandler(ConversationStore conversations, PairStore pairs, ContactStore contacts)
    : IRequestHandler<RequestContact, Upserted<ContactView>>
{
    public async Task<Upserted<ContactView>> Handle(RequestContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        Relationship.EnsureOfTwo(one, other);
        await conversations.EnsureKnownAsync([other], _ => "userId", ct);
        var pair = await pairs.LockAsync(one, other, ct);
        var asked = pair.Ask();
        await pairs.SaveAsync(pair, ct);
        return new Upserted<ContactView>((await contacts.FindAsync(one, other, ct))!, asked);
    }
}
