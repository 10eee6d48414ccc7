namespace Messaging.Migrations.Migrations;

/// <summary>
/// Devices that take pushes, and what each user is notified of. An entry refers to its message and repeats nothing of it: the words are put
/// together when the entry is shown or pushed, so what was deleted or erased by then is not among them.
/// </summary>
[Migration(202611300501, "create_notifications (compatible)")]
public sealed class CreateNotifications : Migration
{
    private const string Users =
        """
        ALTER TABLE users
            ADD COLUMN language    text,
            ADD COLUMN quiet_hours jsonb;
        """;

    private const string Devices =
        """
        CREATE TABLE devices (
            user_id      text COLLATE "C" NOT NULL,
            device_id    text COLLATE "C" NOT NULL,
            platform     text             NOT NULL,
            token        text COLLATE "C" NOT NULL,
            p256dh       text COLLATE "C",
            auth         text COLLATE "C",
            created_at   timestamptz      NOT NULL,
            last_seen_at timestamptz      NOT NULL,
            CONSTRAINT pk_devices PRIMARY KEY (user_id, device_id),
            CONSTRAINT fk_devices_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
            CONSTRAINT ck_devices_platform CHECK (platform IN ('web', 'android', 'ios')),
            CONSTRAINT ck_devices_keys CHECK ((platform = 'web') = (p256dh IS NOT NULL) AND (platform = 'web') = (auth IS NOT NULL))
        );

        -- A browser or phone takes pushes for one user at a time: whoever registered it last. Tokens have at most 2,048 bytes.
        CREATE UNIQUE INDEX uq_devices_token ON devices (platform, token);
        CREATE INDEX ix_devices_last_seen_at ON devices (last_seen_at);
        """;

    private const string Notifications =
        """
        -- mention_seq is the seq of a mention; 0 for an entry that collapses the messages from first_seq to seq. push_at is when it is to
        -- be pushed, to devices of which platforms, and whether with a sound. raised_at tells one raise of a collapsed entry from the next.
        CREATE TABLE notifications (
            id              uuid             NOT NULL DEFAULT gen_random_uuid(),
            user_id         text COLLATE "C" NOT NULL,
            type            text             NOT NULL,
            conversation_id uuid             NOT NULL,
            mention_seq     bigint           NOT NULL DEFAULT 0,
            first_seq       bigint           NOT NULL,
            seq             bigint           NOT NULL,
            sent_at         timestamptz      NOT NULL,
            message_id      uuid             NOT NULL,
            count           integer          NOT NULL DEFAULT 1,
            to_web          boolean          NOT NULL DEFAULT false,
            to_mobile       boolean          NOT NULL DEFAULT false,
            sound           boolean          NOT NULL DEFAULT true,
            delivery        text             NOT NULL DEFAULT 'none',
            push_at         timestamptz,
            created_at      timestamptz      NOT NULL,
            raised_at       timestamptz      NOT NULL,
            read_at         timestamptz,
            CONSTRAINT pk_notifications PRIMARY KEY (id),
            CONSTRAINT fk_notifications_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
            CONSTRAINT ck_notifications_type CHECK (type IN ('message', 'mention', 'system')),
            CONSTRAINT ck_notifications_delivery CHECK (delivery IN ('none', 'pending', 'sent', 'failed', 'bounced')),
            CONSTRAINT ck_notifications_push_at CHECK (delivery <> 'pending' OR push_at IS NOT NULL)
        );

        -- One unread entry for each mention, and one for all other messages of a conversation.
        CREATE UNIQUE INDEX uq_notifications_open ON notifications (conversation_id, user_id, mention_seq) WHERE read_at IS NULL;

        CREATE INDEX ix_notifications_newest ON notifications (user_id, raised_at DESC, id DESC);
        CREATE INDEX ix_notifications_unread ON notifications (user_id, raised_at DESC, id DESC) WHERE read_at IS NULL;
        CREATE INDEX ix_notifications_conversation ON notifications (conversation_id, seq);
        CREATE INDEX ix_notifications_raised_at ON notifications (raised_at DESC, id DESC);

        -- What is to be pushed, and what could not be; few of all.
        CREATE INDEX ix_notifications_due ON notifications (push_at) WHERE delivery = 'pending';
        CREATE INDEX ix_notifications_delivery ON notifications (delivery, raised_at DESC, id DESC)
            WHERE delivery IN ('pending', 'failed', 'bounced');
        """;

    public override void Up()
    {
        Execute.Sql(Users);
        Execute.Sql(Devices);
        Execute.Sql(Notifications);
    }

    public override void Down() => Execute.Sql("""
        DROP TABLE notifications;
        DROP TABLE devices;

        ALTER TABLE users
            DROP COLUMN quiet_hours,
            DROP COLUMN language;
        """);
}
