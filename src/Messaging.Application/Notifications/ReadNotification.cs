using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Notifications;

/// <summary>Marks one of the user's notifications as read; it is not pushed any more. Can be repeated.</summary>
public sealed record ReadNotification(Actor Actor, Guid Id) : ICommand<NotificationView>;

public sealed class ReadNotificationHandler(DbSession session, PushTexts texts) : IRequestHandler<ReadNotification, NotificationView>
{
    // Index: pk_notifications.
    private const string ReadSql =
        """
        UPDATE notifications
        SET read_at = now(), delivery = CASE delivery WHEN 'pending' THEN 'none' ELSE delivery END
        WHERE id = @Id AND user_id = @UserId AND read_at IS NULL
        """;

    // Index: pk_notifications, and those of the joins.
    private const string FindSql =
        $"""
        SELECT {NotificationSql.Columns}
        FROM notifications n
        {NotificationSql.Joins}
        WHERE n.id = @Id AND n.user_id = @UserId AND {NotificationSql.Stands}
        """;

    public async Task<NotificationView> Handle(ReadNotification command, CancellationToken ct)
    {
        var key = new { command.Id, UserId = command.Actor.RequireUser().Value };
        await session.ExecuteAsync(ReadSql, key, ct);
        var row = await session.QuerySingleOrDefaultAsync<NotificationRow>(FindSql, key, ct);
        return (row ?? throw CommonErrors.NotFound()).ToView(texts);
    }
}
