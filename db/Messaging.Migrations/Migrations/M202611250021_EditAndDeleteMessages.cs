namespace Messaging.Migrations.Migrations;

/// <summary>
/// Messages that are edited keep what they said before; of one that is deleted for everyone the original is kept aside, for moderators
/// alone.
/// </summary>
[Migration(202611250021, "edit_and_delete_messages")]
public sealed class EditAndDeleteMessages : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE message_edits (
            conversation_id uuid        NOT NULL,
            seq             bigint      NOT NULL,
            version         bigint      NOT NULL,
            text            text,
            metadata        jsonb,
            edited_by       text COLLATE "C",
            edited_at       timestamptz NOT NULL,
            CONSTRAINT pk_message_edits PRIMARY KEY (conversation_id, seq, version)
        );

        CREATE TABLE message_originals (
            conversation_id uuid   NOT NULL,
            seq             bigint NOT NULL,
            text            text,
            metadata        jsonb,
            mentions        text[] COLLATE "C",
            location        jsonb,
            reference       jsonb,
            CONSTRAINT pk_message_originals PRIMARY KEY (conversation_id, seq)
        );

        -- What clients are told of the deletion: whoever reads the feed again finds by it what must be told no more. Null for a system
        -- message.
        ALTER TABLE message_gaps ADD COLUMN deletion jsonb;

        ALTER TABLE message_hidden ADD COLUMN hidden_at timestamptz NOT NULL DEFAULT now();

        -- The newest message is a deleted one where this is its seq: a send has nothing more to write.
        ALTER TABLE conversations ADD COLUMN last_deleted_seq bigint;
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE conversations DROP COLUMN last_deleted_seq;
        ALTER TABLE message_hidden DROP COLUMN hidden_at;
        ALTER TABLE message_gaps DROP COLUMN deletion;
        DROP TABLE message_originals;
        DROP TABLE message_edits;
        """);
}
