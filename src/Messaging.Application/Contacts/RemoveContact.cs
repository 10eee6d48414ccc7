using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Ends a contact, or takes back a question, in both directions; conversations stay.</summary>
public sealed record RemoveContact(Actor Actor, UserId UserId) : ITransactionCommand<Done>;

public sealed class RemoveContactHandler(DbSession session, PairStore pairs, ContactStore contacts, Outbox outbox)
    : IRequestHandler<RemoveContact, Done>
{
    // Under the pair's lock. Index: pk_contacts.
    private const string RemoveSql =
        """
        DELETE FROM contacts
        WHERE (user_id = @One AND contact_id = @Other) OR (user_id = @Other AND contact_id = @One)
        """;

    // Under the pair's lock. Says whether one was taken back lately already: then the other one has heard nothing since. Index: pk_declines.
    private const string TakeBackSql =
        """
        WITH before AS (
            SELECT taken_back_at > now() - interval '1 day' AS lately
            FROM declines
            WHERE user_id = @Other AND asker_id = @One
        )
        INSERT INTO declines (user_id, asker_id, taken_back_at)
        VALUES (@Other, @One, now())
        ON CONFLICT (user_id, asker_id) DO UPDATE SET taken_back_at = EXCLUDED.taken_back_at
        RETURNING coalesce((SELECT lately FROM before), false)
        """;

    public async Task<Done> Handle(RemoveContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        await pairs.LockAsync(one, other, ct);
        await pairs.StopAddingAsync(one, other, ct);
        var mine = await contacts.FindAsync(one, other, ct) ?? throw CommonErrors.NotFound();
        var theirs = await contacts.FindAsync(other, one, ct);

        var pair = new { One = one.Value, Other = other.Value };
        await session.ExecuteAsync(RemoveSql, pair, ct);
        var takesBack = theirs is { Status: ContactStatus.Pending } && theirs.RequestedBy == one;
        var isHeard = theirs is not null && !(takesBack && await session.QuerySingleAsync<bool>(TakeBackSql, pair, ct));

        await outbox.TellAsync(new ContactRemoved(one), ContactValues.Of(mine), ct);
        if (isHeard)
            await outbox.TellAsync(new ContactRemoved(other), ContactValues.Of(theirs!), ct);
        return default;
    }
}
