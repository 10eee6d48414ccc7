using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Whom an event of a contact is about, and of one that is no more what it was.</summary>
public sealed record ContactValues
{
    public UserRef? User { get; init; }

    public ContactStatus? Status { get; init; }

    public UserId? RequestedBy { get; init; }

    public Instant? CreatedAt { get; init; }

    public Instant? AcceptedAt { get; init; }

    public static ContactValues Of(UserId contact, Contact? was) => new()
    {
        User = new(contact),
        Status = was?.Status,
        RequestedBy = was?.RequestedBy,
        CreatedAt = was?.CreatedAt,
        AcceptedAt = was?.AcceptedAt,
    };
}

/// <summary>Contacts as the one who hears of them sees them.</summary>
public sealed class ContactEventSource : IEventSource
{
    // Index: pk_users, pk_contacts.
    private const string ContactsSql =
        """
        SELECT k.user_id, k.contact_id, u.display_name, u.avatar_url, c.status, c.requested_by, c.created_at, c.accepted_at
        FROM unnest(@ContactHearers::text[], @Contacts::text[]) AS k (user_id, contact_id)
        JOIN users u ON u.id = k.contact_id
        LEFT JOIN contacts c ON c.user_id = k.user_id AND c.contact_id = k.contact_id
        """;

    public IReadOnlyCollection<string> Types { get; } = [ContactRequested.Name, ContactAccepted.Name, ContactRemoved.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var pairs = rows.Select(row => (row.UserId, ContactOf(row))).Distinct().ToList();
        return new(
            ContactsSql,
            new { ContactHearers = pairs.Select(pair => pair.UserId).ToArray(), Contacts = pairs.Select(pair => pair.Item2).ToArray() },
            async grid =>
            {
                var contacts = (await grid.ReadAsync<Row>()).ToDictionary(row => (row.UserId, row.ContactId));
                return row => contacts.TryGetValue((row.UserId!, ContactOf(row) ?? ""), out var contact) ? Tell(row, contact) : null;
            });
    }

    // One that is no more is told as it was, with the profile of now.
    private static ContactView? Tell(FeedRow row, Row contact)
    {
        var user = new SenderView(new UserId(contact.ContactId), contact.DisplayName, contact.AvatarUrl);
        if (row.Type == ContactRemoved.Name)
        {
            return row.Values<ContactValues>() is { Status: { } was, RequestedBy: { } asker, CreatedAt: { } since } values
                ? new ContactView(user, was, asker, since, values.AcceptedAt)
                : null;
        }
        return contact is { Status: { } status, RequestedBy: { } by, CreatedAt: { } at }
            ? new ContactView(user, status, by, at, contact.AcceptedAt)
            : null;
    }

    private static string? ContactOf(FeedRow row) => row.Values<ContactValues>().User?.UserId.Value;

    private sealed record Row(
        string UserId, string ContactId, string? DisplayName, string? AvatarUrl, ContactStatus? Status, UserId? RequestedBy,
        Instant? CreatedAt, Instant? AcceptedAt);
}
