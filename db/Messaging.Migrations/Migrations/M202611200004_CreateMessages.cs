namespace Messaging.Migrations.Migrations;

/// <summary>
/// Messages by month. The key begins with the conversation and its seq, since every page and every reference asks by seq;
/// created_at stands in it because the partitions are cut by it, and rises with seq within a conversation.
/// </summary>
[Migration(202611200004, "create_messages")]
public sealed class CreateMessages : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE messages (
            conversation_id   uuid        NOT NULL,
            seq               bigint      NOT NULL,
            created_at        timestamptz NOT NULL,
            id                uuid        NOT NULL,
            sender_id         text COLLATE "C",
            type              text        NOT NULL,
            text              text,
            metadata          jsonb,
            mentions          text[] COLLATE "C",
            client_message_id text COLLATE "C",
            reply_to_seq      bigint,
            edit_count        integer     NOT NULL DEFAULT 0,
            edited_at         timestamptz,
            deleted_at        timestamptz,
            deleted_by        text COLLATE "C",
            deleted_reason    text,
            version           bigint      NOT NULL DEFAULT 1,
            CONSTRAINT pk_messages PRIMARY KEY (conversation_id, seq, created_at)
        ) PARTITION BY RANGE (created_at);

        CREATE INDEX ix_messages_id ON messages (id);

        -- What was sent under which client's key: the unique key decides between simultaneous retries.
        CREATE TABLE message_keys (
            sender_id       text COLLATE "C" NOT NULL,
            conversation_id uuid             NOT NULL,
            client_key      text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            created_at      timestamptz      NOT NULL,
            fingerprint     bytea            NOT NULL,
            CONSTRAINT pk_message_keys PRIMARY KEY (sender_id, conversation_id, client_key)
        );

        -- Finds what may be forgotten; rows arrive in the order of time.
        CREATE INDEX ix_message_keys_created_at ON message_keys USING brin (created_at);

        -- Seqs that never count as unread: system and deleted messages.
        CREATE TABLE message_gaps (
            conversation_id uuid   NOT NULL,
            seq             bigint NOT NULL,
            CONSTRAINT pk_message_gaps PRIMARY KEY (conversation_id, seq)
        );

        -- Who is mentioned where, to count one's unread mentions.
        CREATE TABLE mentions (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            CONSTRAINT pk_mentions PRIMARY KEY (conversation_id, user_id, seq)
        );

        -- A row per move of a read pointer: the time at which any message was read, without a row per message and reader.
        CREATE TABLE read_marks (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            at              timestamptz      NOT NULL,
            CONSTRAINT pk_read_marks PRIMARY KEY (conversation_id, user_id, seq)
        );

        -- Makes the month of messages that holds the given day, if it is not there yet; answers whether it did.
        -- ATTACH takes a lock that lets sends and readers pass, which CREATE TABLE … PARTITION OF does not.
        CREATE FUNCTION create_messages_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            month     date := date_trunc('month', day)::date;
            partition text := 'messages_' || to_char(day, 'YYYY_MM');
        BEGIN
            IF to_regclass(partition) IS NOT NULL THEN
                RETURN false;
            END IF;
            EXECUTE format('CREATE TABLE %I (LIKE messages INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
            EXECUTE format('ALTER TABLE messages ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
            RETURN true;
        EXCEPTION WHEN duplicate_table THEN
            RETURN false;
        END
        $$;
        """);

    public override void Down() => Execute.Sql("""
        DROP FUNCTION create_messages_partition(date);
        DROP TABLE read_marks;
        DROP TABLE mentions;
        DROP TABLE message_gaps;
        DROP TABLE message_keys;
        DROP TABLE messages;
        """);
}
