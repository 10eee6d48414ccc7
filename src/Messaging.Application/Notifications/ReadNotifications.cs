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
    // Whoever makes notifications of others waits for these, too.
    private const int AtOnce = 2_000;

    // Waits for no row while it has locked another: whoever makes and withdraws notifications locks them in no order. Index:
    // ix_notifications_unread, pk_notifications.
    private const string FreeSql =
        """
        UPDATE notifications n
        SET read_at = now(), delivery = CASE n.delivery WHEN 'pending' THEN 'none' ELSE n.delivery END
        WHERE n.id = ANY (ARRAY(
            SELECT id
            FROM notifications
            WHERE user_id = @UserId AND read_at IS NULL
            LIMIT @AtOnce
            FOR NO KEY UPDATE SKIP LOCKED))
        """;

    // What somebody else had locked. Index: ix_notifications_unread.
    private const string RestSql =
        """
        SELECT id
        FROM notifications
        WHERE user_id = @UserId AND read_at IS NULL
        """;

    // Index: pk_notifications.
    private const string OneSql =
        """
        UPDATE notifications
        SET read_at = now(), delivery = CASE delivery WHEN 'pending' THEN 'none' ELSE delivery END
        WHERE id = @Id AND read_at IS NULL
        """;

    public async Task<ReadCount> Handle(ReadNotifications command, CancellationToken ct)
    {
        var user = new { UserId = command.Actor.RequireUser().Value };
        var changed = await ReadFreeAsync(command.Actor.RequireUser(), ct);
        foreach (var id in await session.QueryAsync<Guid>(RestSql, user, ct))
            changed += await session.ExecuteAsync(OneSql, new { Id = id }, ct);
        return new ReadCount(changed);
    }

    private async Task<int> ReadFreeAsync(UserId user, CancellationToken ct)
    {
        int changed, all = 0;
        do
        {
            changed = await session.ExecuteAsync(FreeSql, new { UserId = user.Value, AtOnce }, ct);
            all += changed;
        }
        while (changed == AtOnce);
        return all;
    }
}
