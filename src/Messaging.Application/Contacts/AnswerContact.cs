using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>Answers a contact request. Its sender is only told if it is accepted.</summary>
[OneTransaction("the contact is decided under the pair's lock and applied to conversations")]
public sealed record AnswerContact(Actor Actor, UserId UserId, bool Accepts) : ITransactionCommand<ContactView?>;

public sealed class AnswerContactHandler(PairStore pairs, ContactStore contacts) : IRequestHandler<AnswerContact, ContactView?>
{
    public async Task<ContactView?> Handle(AnswerContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        // An absent contact is answered without the lock.
        _ = await contacts.FindAsync(one, other, ct) ?? throw CommonErrors.NotFound();
        var pair = await pairs.LockAsync(one, other, ct);
        pair.Answer(command.Accepts);
        await pairs.SaveAsync(pair, ct);
        return await contacts.FindAsync(one, other, ct);
    }
}
