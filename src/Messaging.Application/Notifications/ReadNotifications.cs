using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Notifications;

/// <summary>Marks all of the user's notifications as read; they are not pushed any more.</summary>
public sealed record ReadNotifications(Actor Actor) : ICommand<ReadCount>;

/// <summary>How many were marked as read.</summary>
public sealed record ReadCount(int Changed);

public sealed class ReadNotificationsHandler(DbSession session) : IRequestHandler<ReadNotifications, ReadCount>
{
    // Locked in the order in which they are raised. Index: ix_notifications_unread, pk_notifications.
    private const string ReadSql =
        """
        WITH unread AS MATERIALIZED (
            SELECT id
            FROM notifications
            WHERE user_id = @UserId AND read_at IS NULL
            ORDER BY conversation_id, user_id, mention_seq
            FOR UPDATE
        )
        UPDATE notifications n
        SET read_at = now(), delivery = CASE n.delivery WHEN 'pending' THEN 'none' ELSE n.delivery END
        FROM unread
        WHERE n.id = unread.id
        """;

    public async Task<ReadCount> Handle(ReadNotifications command, CancellationToken ct) =>
        new(await session.ExecuteAsync(ReadSql, new { UserId = command.Actor.RequireUser().Value }, ct));
}
