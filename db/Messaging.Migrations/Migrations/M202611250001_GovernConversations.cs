namespace Messaging.Migrations.Migrations;

/// <summary>Groups that govern themselves, and everyone's own state in a conversation.</summary>
[Migration(202611250001, "govern_conversations")]
public sealed class GovernConversations : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE conversations
            ADD COLUMN policy  jsonb,
            ADD COLUMN blocked boolean NOT NULL DEFAULT false,
            ADD COLUMN request text;

        ALTER TABLE conversations
            ADD CONSTRAINT ck_conversations_request CHECK (request IN ('unsent', 'pending')) NOT VALID,
            ADD CONSTRAINT ck_conversations_closed_reason
                CHECK (closed_reason IN ('completed', 'manual', 'blocked', 'inactive', 'empty')) NOT VALID;

        -- Messages up to cleared_seq are not the participant's to see: said before joining, or cleared. What was archived or taken out of
        -- the inbox at a seq comes back with the next one: nothing has to be written by the send that brings it back.
        ALTER TABLE participants
            ADD COLUMN cleared_seq        bigint  NOT NULL DEFAULT 0,
            ADD COLUMN archived_seq       bigint,
            ADD COLUMN archived_for_all   boolean NOT NULL DEFAULT false,
            ADD COLUMN hidden_seq         bigint,
            ADD COLUMN starred_at         timestamptz,
            ADD COLUMN settings           jsonb,
            ADD COLUMN show_read_receipts boolean NOT NULL DEFAULT true,
            ADD COLUMN pending            boolean NOT NULL DEFAULT false,
            ADD COLUMN has_gaps           boolean NOT NULL DEFAULT false,
            ADD COLUMN last_sent_at       timestamptz;

        -- Seqs that never count as unread for one participant: one's own behind a pointer that was moved back.
        CREATE TABLE participant_gaps (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            CONSTRAINT pk_participant_gaps PRIMARY KEY (conversation_id, user_id, seq)
        );

        CREATE TABLE bans (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            banned_by       text COLLATE "C",
            created_at      timestamptz      NOT NULL,
            CONSTRAINT pk_bans PRIMARY KEY (conversation_id, user_id)
        );

        -- Conversations that were deleted for everyone: gone for all at once, their messages are removed little by little.
        CREATE TABLE purges (
            conversation_id uuid        NOT NULL,
            deleted_at      timestamptz NOT NULL,
            CONSTRAINT pk_purges PRIMARY KEY (conversation_id)
        );
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE purges;
        DROP TABLE bans;
        DROP TABLE participant_gaps;

        ALTER TABLE participants
            DROP COLUMN last_sent_at,
            DROP COLUMN has_gaps,
            DROP COLUMN pending,
            DROP COLUMN show_read_receipts,
            DROP COLUMN settings,
            DROP COLUMN starred_at,
            DROP COLUMN hidden_seq,
            DROP COLUMN archived_for_all,
            DROP COLUMN archived_seq,
            DROP COLUMN cleared_seq;

        ALTER TABLE conversations
            DROP CONSTRAINT ck_conversations_closed_reason,
            DROP COLUMN request,
            DROP COLUMN blocked,
            DROP COLUMN policy;
        """);
}
