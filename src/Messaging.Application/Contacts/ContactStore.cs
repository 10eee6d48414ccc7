using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>A contact, or a contact request sent or received.</summary>
public sealed record ContactView(SenderView User, ContactStatus Status, UserId RequestedBy, Instant CreatedAt, Instant? AcceptedAt);

/// <summary>Reads contacts.</summary>
public sealed class ContactStore(DbSession session)
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

    public async Task<ContactView?> FindAsync(UserId user, UserId contact, CancellationToken ct) =>
        (await ReadAsync(user, after: "", contact.Value, status: null, take: 1, ct)).SingleOrDefault();

    public Task<IReadOnlyList<ContactView>> ListAsync(UserId user, ContactStatus? status, string after, int take, CancellationToken ct) =>
        ReadAsync(user, after, only: null, status, take, ct);

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
        UserId ContactId, string? DisplayName, string? AvatarUrl, ContactStatus Status, UserId RequestedBy, Instant CreatedAt,
        Instant? AcceptedAt)
    {
        public ContactView ToView() => new(new SenderView(ContactId, DisplayName, AvatarUrl), Status, RequestedBy, CreatedAt, AcceptedAt);
    }
}
