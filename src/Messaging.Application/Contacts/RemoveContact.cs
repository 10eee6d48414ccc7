using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Ends a contact, or takes back a question, in both directions; conversations stay.</summary>
public sealed record RemoveContact(Actor Actor, UserId UserId) : ICommand<Done>;

public sealed class RemoveContactHandler(DbSession session, PairStore pairs, ContactStore contacts, Outbox outbox)
    : IRequestHandler<RemoveContact, Done>
{
    // Under the pair's lock. Index: pk_contacts.
    private const string RemoveSql =
        """
        DELETE FROM contacts
        WHERE (user_id = @One AND contact_id = @Other) OR (user_id = @Other AND contact_id = @One)
        """;

    public async Task<Done> Handle(RemoveContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        await pairs.LockAsync(one, other, ct);
        await pairs.StopAddingAsync(one, other, ct);
        var mine = await contacts.FindAsync(one, other, ct) ?? throw CommonErrors.NotFound();
        var theirs = await contacts.FindAsync(other, one, ct);

        await session.ExecuteAsync(RemoveSql, new { One = one.Value, Other = other.Value }, ct);

        await outbox.TellAsync(one, ContactEvents.Removed, mine, ct);
        if (theirs is not null)
            await outbox.TellAsync(other, ContactEvents.Removed, theirs, ct);
        return default;
    }
}
