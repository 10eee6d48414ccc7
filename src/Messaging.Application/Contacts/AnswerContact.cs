using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>Answers somebody who asks to be a contact. Whoever asked learns of a yes only.</summary>
public sealed record AnswerContact(Actor Actor, UserId UserId, bool Accepts) : ITransactionCommand<ContactView?>;

public sealed class AnswerContactHandler(DbSession session, PairStore pairs, ContactStore contacts, Outbox outbox)
    : IRequestHandler<AnswerContact, ContactView?>
{
    // Under the pair's lock. The row of the one who asked stays: to that one the question is open.
    private const string DeclineSql =
        """
        WITH answered AS (
            DELETE FROM contacts
            WHERE user_id = @UserId AND contact_id = @ContactId AND status = 'pending'
        )
        INSERT INTO declines (user_id, asker_id, declined_at)
        VALUES (@UserId, @ContactId, now())
        ON CONFLICT (user_id, asker_id) DO UPDATE SET declined_at = EXCLUDED.declined_at
        """;

    public async Task<ContactView?> Handle(AnswerContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        var standing = await pairs.LockAsync(one, other, ct);
        var contact = await contacts.FindAsync(one, other, ct) ?? throw CommonErrors.NotFound();
        if (contact.Status is ContactStatus.Accepted)
            return command.Accepts ? contact : throw ContactErrors.Accepted();
        if (contact.RequestedBy == one)
            throw ContactErrors.OwnQuestion();

        if (command.Accepts)
        {
            if (standing.Blocked)
                throw ContactErrors.Blocked();
            await contacts.AcceptAsync(one, other, requestedBy: other, ct);
            return await contacts.FindAsync(one, other, ct);
        }
        await session.ExecuteAsync(DeclineSql, new { UserId = one.Value, ContactId = other.Value }, ct);
        await outbox.TellAsync(new ContactRemoved(one), ContactValues.Of(contact), ct);
        return null;
    }
}
