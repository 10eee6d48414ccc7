using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Push;

namespace Messaging.Application.Notifications;

/// <summary>Notifications of all users, for operators: those that were made last first.</summary>
/// <param name="State">Only those whose push is in this state.</param>
public sealed record ListUserNotifications(DeliveryState? State, string? Cursor, int Limit) : IQuery<Page<NotificationView>>;

public sealed class ListUserNotificationsValidator : AbstractValidator<ListUserNotifications>
{
    public ListUserNotificationsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListUserNotificationsHandler(DbSession session, PushTexts texts)
    : IRequestHandler<ListUserNotifications, Page<NotificationView>>
{
    private const string Page =
        """
        n.id < @Before
        ORDER BY n.id DESC
        LIMIT @Take
        """;

    // Ids rise with time. Index: pk_notifications, from the cursor on; most are in one of the two states that are not rare.
    private const string CommonSql =
        $"""
        SELECT {NotificationSql.Columns}
        FROM notifications n
        {NotificationSql.Joins}
        WHERE {NotificationSql.Stands} AND (@State::text IS NULL OR n.delivery = @State) AND {Page}
        """;

    // Index: ix_notifications_delivery, from the cursor on.
    private const string RareSql =
        $"""
        SELECT {NotificationSql.Columns}
        FROM notifications n
        {NotificationSql.Joins}
        WHERE {NotificationSql.Stands} AND n.delivery = @State AND n.delivery IN ('pending', 'failed', 'bounced') AND {Page}
        """;

    // Index: pk_pushes.
    private const string PushesSql =
        """
        SELECT p.notification_id, p.provider, p.device_id, p.state, p.attempts,
            CASE WHEN p.state = 'pending' THEN p.next_attempt_at END AS next_attempt_at, p.error, p.provider_id
        FROM pushes p
        WHERE p.notification_id = ANY(@Ids)
        ORDER BY p.notification_id, p.provider, p.device_id
        """;

    public async Task<Page<NotificationView>> Handle(ListUserNotifications query, CancellationToken ct)
    {
        var isRare = query.State is DeliveryState.Pending or DeliveryState.Failed or DeliveryState.Bounced;
        var rows = await session.QueryAsync<NotificationRow>(
            isRare ? RareSql : CommonSql,
            new
            {
                State = query.State?.ToString().ToLowerInvariant(),
                Before = IdOf(query.Cursor),
                Take = query.Limit + 1,
            },
            ct);
        var page = Common.Page.Of(rows, query.Limit, row => PageCursor.Encode(row.Id.ToString()));
        var pushes = await session.QueryAsync<PushView>(PushesSql, new { Ids = page.Items.Select(row => row.Id).ToArray() }, ct);
        var pushesOf = pushes.ToLookup(push => push.NotificationId);
        return new Page<NotificationView>(
            [.. page.Items.Select(row => row.ToView(texts) with { UserId = row.UserId, Pushes = [.. pushesOf[row.Id]] })],
            page.NextCursor);
    }

    private static Guid IdOf(string? cursor) => cursor is null ? Guid.AllBitsSet
        : Guid.TryParse(PageCursor.Decode(cursor, 1)[0], out var id) ? id
        : throw PageCursor.Malformed();
}
