using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using NodaTime;

namespace Messaging.Application.Contacts;

public enum ContactStatus
{
    Pending,
    Accepted,
}

/// <summary>Somebody whom one knows, or has asked, or who asks.</summary>
public sealed record ContactView(SenderView User, ContactStatus Status, UserId RequestedBy, Instant CreatedAt, Instant? AcceptedAt);

/// <summary>Reads contacts, and makes two people contacts: by an answer, a second question or an accepted request.</summary>
public sealed class ContactStore(DbSession session, AcceptanceStore acceptance, Outbox outbox, IClock clock)
{
    // Index: pk_contacts, pk_users.
    private const string FindSql =
        """
        SELECT c.contact_id, u.display_name, u.avatar_url, c.status, c.requested_by, c.created_at, c.accepted_at
        FROM contacts c
        JOIN users u ON u.id = c.contact_id
        WHERE c.user_id = @UserId AND c.contact_id > @After AND (@Only::text IS NULL OR c.contact_id = @Only)
            AND (@Status::text IS NULL OR c.status = @Status)
        ORDER BY c.contact_id
        LIMIT @Take
        """;

    // Under the pair's lock. A yes ends what was declined before. Index: pk_contacts, pk_declines.
    private const string AcceptSql =
        """
        WITH forgotten AS (
            DELETE FROM declines
            WHERE (user_id = @One AND asker_id = @Other) OR (user_id = @Other AND asker_id = @One)
        )
        INSERT INTO contacts (user_id, contact_id, status, requested_by, created_at, accepted_at)
        VALUES (@One, @Other, 'accepted', @RequestedBy, @Now, @Now), (@Other, @One, 'accepted', @RequestedBy, @Now, @Now)
        ON CONFLICT (user_id, contact_id) DO UPDATE
        SET status = 'accepted', accepted_at = EXCLUDED.accepted_at
        WHERE contacts.status <> 'accepted'
        """;

    public async Task<ContactView?> FindAsync(UserId user, UserId contact, CancellationToken ct) =>
        (await ReadAsync(user, after: "", contact.Value, status: null, take: 1, ct)).SingleOrDefault();

    public Task<IReadOnlyList<ContactView>> ListAsync(UserId user, ContactStatus? status, string after, int take, CancellationToken ct) =>
        ReadAsync(user, after, only: null, status, take, ct);

    /// <summary>Makes them contacts, unless they are, tells both, and opens what waited between them. Under the pair's lock.</summary>
    public async Task AcceptAsync(UserId one, UserId other, UserId requestedBy, CancellationToken ct)
    {
        var made = await session.ExecuteAsync(
            AcceptSql,
            new { One = one.Value, Other = other.Value, RequestedBy = requestedBy.Value, Now = clock.GetCurrentInstant() },
            ct);
        if (made > 0)
        {
            foreach (var (user, contact) in new[] { (one, other), (other, one) })
                await outbox.TellAsync(new ContactAccepted(user), ContactValues.Of(contact), ct);
        }
        await acceptance.AcceptAsync(one, other, ct);
    }

    private async Task<IReadOnlyList<ContactView>> ReadAsync(
        UserId user, string after, string? only, ContactStatus? status, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(
            FindSql,
            new { UserId = user.Value, After = after, Only = only, Status = status?.ToString().ToLowerInvariant(), Take = take },
            ct);
        return [.. rows.Select(row => row.ToView())];
    }

    private sealed record Row(
        UserId ContactId, string? DisplayName, string? AvatarUrl, ContactStatus Status, UserId RequestedBy, Instant CreatedAt, Instant? AcceptedAt)
    {
        public ContactView ToView() => new(new SenderView(ContactId, DisplayName, AvatarUrl), Status, RequestedBy, CreatedAt, AcceptedAt);
    }
}
