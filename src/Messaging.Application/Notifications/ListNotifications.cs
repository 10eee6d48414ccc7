using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Notifications;

/// <summary>The user's notifications, the newest first.</summary>
/// <param name="Unread">Whether only those that are unread are listed.</param>
public sealed record ListNotifications(Actor Actor, bool Unread, string? Cursor, int Limit) : IQuery<Page<NotificationView>>;

public sealed class ListNotificationsValidator : AbstractValidator<ListNotifications>
{
    public ListNotificationsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListNotificationsHandler(DbSession session, PushTexts texts)
    : IRequestHandler<ListNotifications, Page<NotificationView>>
{
    private const string Page =
        """
        AND n.raised_in <= @BeforeTime AND (n.raised_at, n.id) < (@BeforeTime, @BeforeId)
        ORDER BY n.raised_in DESC, n.raised_at DESC, n.id DESC
        LIMIT @Take
        """;

    // Sorts what was raised within the same ten minutes. Index: ix_notifications_newest, from the cursor on, and those of the joins.
    private const string AllSql =
        $"""
        SELECT {NotificationSql.Columns}
        FROM notifications n
        {NotificationSql.Joins}
        WHERE n.user_id = @UserId AND {NotificationSql.Stands} {Page}
        """;

    // Index: ix_notifications_unread, from the cursor on, and those of the joins.
    private const string UnreadSql =
        $"""
        SELECT {NotificationSql.Columns}
        FROM notifications n
        {NotificationSql.Joins}
        WHERE n.user_id = @UserId AND {NotificationSql.Unread} AND {NotificationSql.Stands} {Page}
        """;

    public async Task<Page<NotificationView>> Handle(ListNotifications query, CancellationToken ct)
    {
        var before = NotificationCursor.Of(query.Cursor);
        var rows = await session.QueryAsync<NotificationRow>(
            query.Unread ? UnreadSql : AllSql,
            new { UserId = query.Actor.RequireUser().Value, BeforeTime = before.Time, BeforeId = before.Id, Take = query.Limit + 1 }, ct);
        var page = Common.Page.Of(rows, query.Limit, NotificationCursor.After);
        return new Page<NotificationView>([.. page.Items.Select(row => row.ToView(texts))], page.NextCursor);
    }
}

/// <summary>A place in a list of notifications.</summary>
internal static class NotificationCursor
{
    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public static string After(NotificationRow row) => PageCursor.Encode(
        row.RaisedAt.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), row.Id.ToString());

    /// <summary>What comes before it; everything where there is none.</summary>
    public static (Instant Time, Guid Id) Of(string? cursor)
    {
        if (cursor is null)
            return (EndOfTime, Guid.AllBitsSet);
        var parts = PageCursor.Decode(cursor, 2);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= EndOfTime.ToUnixTimeTicks() && Guid.TryParse(parts[1], out var id)
            ? (Instant.FromUnixTimeTicks(ticks), id)
            : throw PageCursor.Malformed();
    }
}
