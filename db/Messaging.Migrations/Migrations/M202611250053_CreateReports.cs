namespace Messaging.Migrations.Migrations;

/// <summary>
/// What users report to the moderators. A report names the message and keeps nothing of it: moderators read it where it stands.
/// </summary>
[Migration(202611250053, "create_reports")]
public sealed class CreateReports : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE reports (
            id              uuid             NOT NULL,
            conversation_id uuid             NOT NULL,
            seq             bigint           NOT NULL,
            message_id      uuid             NOT NULL,
            sent_at         timestamptz      NOT NULL,
            reporter_id     text COLLATE "C" NOT NULL,
            reason          text             NOT NULL,
            note            text,
            status          text             NOT NULL DEFAULT 'open',
            created_at      timestamptz      NOT NULL,
            action          text,
            resolved_by     text COLLATE "C",
            resolved_at     timestamptz,
            resolution_note text,
            CONSTRAINT pk_reports PRIMARY KEY (id),
            CONSTRAINT ck_reports_reason CHECK (reason IN ('spam', 'abuse', 'harassment', 'illegal', 'other')),
            CONSTRAINT ck_reports_status CHECK (status IN ('open', 'resolved')),
            CONSTRAINT ck_reports_action CHECK (action IN ('dismiss', 'delete-message', 'ban-user', 'close-conversation')),
            CONSTRAINT ck_reports_resolved CHECK ((status = 'resolved') = (action IS NOT NULL AND resolved_at IS NOT NULL))
        );

        -- One open report of one user about one message.
        CREATE UNIQUE INDEX uq_reports_open ON reports (conversation_id, seq, reporter_id) WHERE status = 'open';
        -- The moderators' list, the newest first; ids rise with time.
        CREATE INDEX ix_reports_status ON reports (status, id DESC);
        -- What goes with a conversation that is deleted.
        CREATE INDEX ix_reports_conversation ON reports (conversation_id);
        """);

    public override void Down() => Execute.Sql("DROP TABLE reports;");
}
