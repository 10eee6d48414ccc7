using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>Removes a contact, or withdraws or declines a contact request; conversations stay.</summary>
[OneTransaction("the contact is decided under the pair's lock")]
public sealed record RemoveContact(Actor Actor, UserId UserId) : ITransactionCommand<Done>;

public sealed class RemoveContactHandler(PairStore pairs, ContactStore contacts) : IRequestHandler<RemoveContact, Done>
{
    public async Task<Done> Handle(RemoveContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        // An absent contact is answered without the lock.
        _ = await contacts.FindAsync(one, other, ct) ?? throw CommonErrors.NotFound();
        var pair = await pairs.LockAsync(one, other, ct);
        pair.Remove();
        await pairs.SaveAsync(pair, ct);
        await pairs.StopAddingAsync(pair, ct);
        return default;
    }
}
