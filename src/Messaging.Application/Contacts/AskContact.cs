using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Asks somebody to be a contact; asking who has asked already accepts.</summary>
public sealed record AskContact(Actor Actor, UserId UserId) : ITransactionCommand<AskedContact>;

/// <summary>The contact as one sees it.</summary>
/// <param name="Created">Whether this call asked; else it accepted, or changed nothing.</param>
public sealed record AskedContact(ContactView Contact, bool Created);

public sealed class AskContactHandler(ConversationStore conversations, PairStore pairs, ContactStore contacts)
    : IRequestHandler<AskContact, AskedContact>
{
    public async Task<AskedContact> Handle(AskContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        Relationship.EnsureOfTwo(one, other);
        await conversations.EnsureKnownAsync([other], _ => "userId", ct);
        var pair = await pairs.LockAsync(one, other, ct);
        var asked = pair.Ask();
        await pairs.SaveAsync(pair, ct);
        return new AskedContact((await contacts.FindAsync(one, other, ct))!, asked);
    }
}
