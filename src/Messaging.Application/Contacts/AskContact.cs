using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Asks somebody to be a contact; asking who has asked already accepts.</summary>
public sealed record AskContact(Actor Actor, UserId UserId) : ICommand<AskedContact>;

/// <summary>The contact as one sees it.</summary>
/// <param name="Created">Whether this call asked; else it accepted, or changed nothing.</param>
public sealed record AskedContact(ContactView Contact, bool Created);

public sealed class AskContactHandler(
    DbSession session, ConversationStore conversations, PairStore pairs, ContactStore contacts, Outbox outbox, IClock clock)
    : IRequestHandler<AskContact, AskedContact>
{
    // Under the pair's lock.
    private const string AskSql =
        """
        INSERT INTO contacts (user_id, contact_id, status, requested_by, created_at)
        VALUES (@One, @Other, 'pending', @One, @Now), (@Other, @One, 'pending', @One, @Now)
        """;

    public async Task<AskedContact> Handle(AskContact command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        if (one == other)
            throw ContactErrors.WithOneself();
        await conversations.EnsureKnownAsync([other], _ => "#/userId", ct);
        if ((await pairs.LockAsync(one, other, ct)).Blocked)
            throw ContactErrors.Blocked();

        // Whoever declined has no row, and the one who asked still has: that one's question is open.
        var (mine, theirs) = (await contacts.FindAsync(one, other, ct), await contacts.FindAsync(other, one, ct));
        var asks = mine is null && theirs is null;
        if (asks)
            await AskAsync(one, other, ct);
        else if ((mine ?? theirs) is { Status: ContactStatus.Pending } pending && pending.RequestedBy == other)
            await contacts.AcceptAsync(one, other, requestedBy: other, ct);
        return new AskedContact((await contacts.FindAsync(one, other, ct))!, asks);
    }

    private async Task AskAsync(UserId one, UserId other, CancellationToken ct)
    {
        await session.ExecuteAsync(AskSql, new { One = one.Value, Other = other.Value, Now = clock.GetCurrentInstant() }, ct);
        foreach (var (user, contact) in new[] { (one, other), (other, one) })
            await outbox.TellAsync(user, ContactEvents.Requested, (await contacts.FindAsync(user, contact, ct))!, ct);
    }
}
