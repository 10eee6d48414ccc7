namespace Messaging.Migrations.Migrations;

/// <summary>
/// Which messages an entry is of, instead of how many: so a message that is deleted is taken out where it was counted, and nowhere else.
/// And no index on what changes when an entry is raised again, so that raising writes one row version and no index: lists go by the ten
/// minutes in which an entry was last raised, and by the exact time within them.
/// </summary>
[Migration(202611300590, "count_notified_messages (compatible)")]
public sealed class CountNotifiedMessages : Migration
{
    private const string New =
        """
        ALTER TABLE notifications
            ADD COLUMN seqs int8multirange,
            ADD COLUMN raised_in timestamptz NOT NULL
                GENERATED ALWAYS AS (date_bin('10 minutes', raised_at, '2000-01-01 00:00:00+00'::timestamptz)) STORED;

        UPDATE notifications
        SET seqs = int8multirange(int8range(greatest(first_seq, seq - count + 1), seq, '[]'));

        -- Each new row is given its id by who inserts it, so that ids rise with time. A user's rows go with the user's places.
        ALTER TABLE notifications
            ALTER COLUMN seqs SET NOT NULL,
            ALTER COLUMN id DROP DEFAULT,
            DROP COLUMN first_seq,
            DROP COLUMN count,
            DROP CONSTRAINT fk_notifications_users;
        ALTER TABLE notifications SET (fillfactor = 80);

        DROP INDEX ix_notifications_newest, ix_notifications_unread, ix_notifications_conversation, ix_notifications_raised_at,
            ix_notifications_delivery;
        CREATE INDEX ix_notifications_place ON notifications (conversation_id, user_id, mention_seq);
        CREATE INDEX ix_notifications_newest ON notifications (user_id, raised_in DESC);
        CREATE INDEX ix_notifications_unread ON notifications (user_id, raised_in DESC) WHERE read_at IS NULL;
        -- For what is old, of all users; not to be taken for the order of one user's list.
        CREATE INDEX ix_notifications_raised_in ON notifications ((raised_in AT TIME ZONE 'UTC'));
        CREATE INDEX ix_notifications_delivery ON notifications (delivery, id DESC) WHERE delivery IN ('pending', 'failed', 'bounced');
        """;

    private const string Old =
        """
        DROP INDEX ix_notifications_place, ix_notifications_newest, ix_notifications_unread, ix_notifications_raised_in,
            ix_notifications_delivery;

        ALTER TABLE notifications
            ADD COLUMN first_seq bigint,
            ADD COLUMN count integer NOT NULL DEFAULT 1,
            ALTER COLUMN id SET DEFAULT gen_random_uuid();
        UPDATE notifications
        SET first_seq = lower(seqs), count = (SELECT sum(upper(r) - lower(r)) FROM unnest(seqs) AS r);
        DELETE FROM notifications n
        WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = n.user_id);
        ALTER TABLE notifications
            ALTER COLUMN first_seq SET NOT NULL,
            DROP COLUMN raised_in,
            DROP COLUMN seqs,
            ADD CONSTRAINT fk_notifications_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
        ALTER TABLE notifications RESET (fillfactor);

        CREATE INDEX ix_notifications_newest ON notifications (user_id, raised_at DESC, id DESC);
        CREATE INDEX ix_notifications_unread ON notifications (user_id, raised_at DESC, id DESC) WHERE read_at IS NULL;
        CREATE INDEX ix_notifications_conversation ON notifications (conversation_id, seq);
        CREATE INDEX ix_notifications_raised_at ON notifications (raised_at DESC, id DESC);
        CREATE INDEX ix_notifications_delivery ON notifications (delivery, raised_at DESC, id DESC)
            WHERE delivery IN ('pending', 'failed', 'bounced');
        """;

    public override void Up() => Execute.Sql(New);

    public override void Down() => Execute.Sql(Old);
}
