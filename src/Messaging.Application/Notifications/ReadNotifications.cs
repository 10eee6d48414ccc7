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

    // Index: ix_notifications_unread.
    private const string UnreadSql =
        """
        SELECT id
        FROM notifications
        WHERE user_id = @UserId AND read_at IS NULL
        """;

    // By their ids alone: or all that the user has not read would be gone through for each part. Waits for no row while it has locked
    // another: whoever makes and withdraws notifications locks them in no order. Index: pk_notifications.
    private const string FreeSql =
        """
        WITH held AS MATERIALIZED (
            SELECT id, user_id, read_at
            FROM notifications
            WHERE id = ANY (@Ids)
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE notifications n
        SET read_at = now(), delivery = CASE n.delivery WHEN 'pending' THEN 'none' ELSE n.delivery END
        WHERE n.id = ANY (ARRAY(SELECT id FROM held WHERE user_id = @UserId AND read_at IS NULL))
        """;

    // What somebody else had locked and has not marked. Index: pk_notifications.
    private const string RestSql =
        """
        WITH these AS MATERIALIZED (
            SELECT id, user_id, read_at
            FROM notifications
            WHERE id = ANY (@Ids)
        )
        SELECT id
        FROM these
        WHERE user_id = @UserId AND read_at IS NULL
        """;

    // Index: pk_notifications.
    private const string OneSql =
        """
        UPDATE notifications
        SET read_at = now(), delivery = CASE delivery WHEN 'pending' THEN 'none' ELSE delivery END
        WHERE id = @Id AND user_id = @UserId AND read_at IS NULL
        """;

    // Each statement is a transaction of its own.
    public async Task<ReadCount> Handle(ReadNotifications command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser().Value;
        var changed = 0;
        foreach (var ids in (await session.QueryAsync<Guid>(UnreadSql, new { UserId = user }, ct)).Chunk(AtOnce))
        {
            IReadOnlyList<Guid> left = ids;
            while (left.Count > 0)
            {
                changed += await session.ExecuteAsync(FreeSql, new { UserId = user, Ids = left }, ct);
                left = await session.QueryAsync<Guid>(RestSql, new { UserId = user, Ids = left }, ct);
                // Whoever has locked it has most likely locked the others.
                if (left.Count > 0)
                    changed += await session.ExecuteAsync(OneSql, new { UserId = user, Id = left[0] }, ct);
            }
        }
        return new ReadCount(changed);
    }
}
