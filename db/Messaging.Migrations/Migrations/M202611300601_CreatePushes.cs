namespace Messaging.Migrations.Migrations;

/// <summary>
/// The queue of what is sent to devices: a row for each notification and device, and one for a provider without devices, whose device_id is
/// empty. A notification whose rows are made has the push_at <c>infinity</c>, until it is raised again.
/// </summary>
[Migration(202611300601, "create_pushes (compatible)")]
public sealed class CreatePushes : Migration
{
    public override void Up() => Execute.Sql("""
        -- claim is that of the node which is sending: it has until next_attempt_at, then the push is another's.
        CREATE TABLE pushes (
            notification_id uuid             NOT NULL,
            provider        text             NOT NULL,
            device_id       text COLLATE "C" NOT NULL,
            state           text             NOT NULL DEFAULT 'pending',
            attempts        integer          NOT NULL DEFAULT 0,
            claim           uuid,
            next_attempt_at timestamptz      NOT NULL,
            expires_at      timestamptz      NOT NULL,
            error           text,
            provider_id     text,
            settled_at      timestamptz,
            CONSTRAINT pk_pushes PRIMARY KEY (notification_id, provider, device_id),
            CONSTRAINT fk_pushes_notifications FOREIGN KEY (notification_id) REFERENCES notifications (id) ON DELETE CASCADE,
            CONSTRAINT ck_pushes_state CHECK (state IN ('pending', 'sent', 'failed', 'bounced', 'withdrawn'))
        );

        -- What is due, by provider: one that does not answer holds up nobody else's.
        CREATE INDEX ix_pushes_due ON pushes (provider, next_attempt_at) WHERE state = 'pending';
        """);

    public override void Down() => Execute.Sql("DROP TABLE pushes;");
}
