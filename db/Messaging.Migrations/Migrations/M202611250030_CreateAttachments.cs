namespace Messaging.Migrations.Migrations;

/// <summary>
/// Files that people have uploaded: at first the uploader's own, then part of the one message that names them. The files themselves lie in
/// a storage; "files" says under which keys, one entry for each variant. Each attachment has a secret of its own that its addresses are
/// signed with.
/// </summary>
[Migration(202611250030, "create_attachments")]
public sealed class CreateAttachments : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE attachments (
            conversation_id uuid             NOT NULL,
            id              uuid             NOT NULL,
            uploader_id     text COLLATE "C" NOT NULL,
            seq             bigint,
            position        integer,
            file_name       text             NOT NULL,
            content_type    text             NOT NULL,
            category        text             NOT NULL,
            size            bigint           NOT NULL,
            width           integer,
            height          integer,
            duration_ms     bigint,
            sort_order      integer,
            scan            text             NOT NULL,
            files           jsonb            NOT NULL,
            secret          uuid             NOT NULL,
            is_stored       boolean          NOT NULL DEFAULT false,
            is_released     boolean          NOT NULL DEFAULT false,
            download_count  bigint           NOT NULL DEFAULT 0,
            created_at      timestamptz      NOT NULL,
            CONSTRAINT pk_attachments PRIMARY KEY (conversation_id, id),
            CONSTRAINT ck_attachments_category CHECK (category IN ('image', 'document', 'video', 'audio', 'other')),
            CONSTRAINT ck_attachments_scan CHECK (scan IN ('pending', 'clean', 'infected', 'skipped')),
            CONSTRAINT ck_attachments_position CHECK ((seq IS NULL) = (position IS NULL))
        );

        CREATE INDEX ix_attachments_id ON attachments (id);
        -- Those of a page of messages.
        CREATE INDEX ix_attachments_message ON attachments (conversation_id, seq, position) WHERE seq IS NOT NULL;
        -- Those that no message names, to be collected, and those that wait for the scanner.
        CREATE INDEX ix_attachments_unused ON attachments (created_at) WHERE seq IS NULL;
        CREATE INDEX ix_attachments_pending ON attachments (created_at) WHERE scan = 'pending';

        -- Files that are to be removed from the storage, which may be away when their attachment goes.
        CREATE TABLE file_removals (
            key        text COLLATE "C" NOT NULL,
            created_at timestamptz      NOT NULL,
            CONSTRAINT pk_file_removals PRIMARY KEY (key)
        );
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE file_removals;
        DROP TABLE attachments;
        """);
}
