namespace Messaging.Migrations.Migrations;

/// <summary>
/// Conversations and who takes part in them. A send updates one row here and one of participants, both HOT:
/// no column that a send or a read writes may be indexed (activity_day is written by the first message of a day only).
/// </summary>
[Migration(202611200003, "create_conversations")]
public sealed class CreateConversations : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE conversations (
            id                   uuid        NOT NULL,
            type                 text        NOT NULL,
            name                 text,
            description          text,
            avatar_url           text,
            slug                 text,
            owner_id             text COLLATE "C",
            created_by           text COLLATE "C",
            context_type         text,
            context_id           text,
            metadata             jsonb,
            participant_count    integer     NOT NULL,
            version              bigint      NOT NULL DEFAULT 1,
            created_at           timestamptz NOT NULL,
            updated_at           timestamptz NOT NULL,
            closed_at            timestamptz,
            closed_by            text COLLATE "C",
            closed_reason        text,
            closed_note          text,
            archived_at          timestamptz,
            last_seq             bigint      NOT NULL DEFAULT 0,
            event_no             bigint      NOT NULL DEFAULT 0,
            last_event_at        timestamptz NOT NULL,
            last_activity_at     timestamptz NOT NULL,
            last_activity_day    date,
            prev_activity_day    date,
            last_message_id      uuid,
            last_message_type    text,
            last_message_sender  text COLLATE "C",
            last_message_text    text,
            CONSTRAINT pk_conversations PRIMARY KEY (id),
            CONSTRAINT ck_conversations_type CHECK (type IN ('direct', 'group')),
            CONSTRAINT ck_conversations_context CHECK ((context_type IS NULL) = (context_id IS NULL)),
            CONSTRAINT ck_conversations_closed CHECK ((closed_at IS NULL) = (closed_reason IS NULL))
        ) WITH (fillfactor = 90);

        CREATE INDEX ix_conversations_context ON conversations (context_type, context_id) WHERE context_id IS NOT NULL;

        -- One direct conversation per pair and context, one conversation per slug: tables of their own, so that both
        -- stay unique when conversations is distributed by its id.
        CREATE TABLE direct_keys (
            direct_key      text COLLATE "C" NOT NULL,
            conversation_id uuid             NOT NULL,
            CONSTRAINT pk_direct_keys PRIMARY KEY (direct_key)
        );

        CREATE TABLE slugs (
            slug            text COLLATE "C" NOT NULL,
            conversation_id uuid             NOT NULL,
            CONSTRAINT pk_slugs PRIMARY KEY (slug),
            CONSTRAINT ck_slugs_slug CHECK (slug ~ '^[a-z0-9-]{3,100}$')
        );

        CREATE TABLE participants (
            conversation_id    uuid             NOT NULL,
            user_id            text COLLATE "C" NOT NULL,
            role               text             NOT NULL,
            joined_at          timestamptz      NOT NULL,
            joined_seq         bigint           NOT NULL DEFAULT 0,
            left_at            timestamptz,
            last_read_seq      bigint           NOT NULL DEFAULT 0,
            last_delivered_seq bigint           NOT NULL DEFAULT 0,
            last_read_at       timestamptz,
            activity_day       date,
            muted_until        timestamptz,
            CONSTRAINT pk_participants PRIMARY KEY (conversation_id, user_id),
            CONSTRAINT fk_participants_conversations FOREIGN KEY (conversation_id) REFERENCES conversations (id),
            CONSTRAINT fk_participants_users FOREIGN KEY (user_id) REFERENCES users (id),
            CONSTRAINT ck_participants_role CHECK (role IN ('owner', 'admin', 'member')),
            CONSTRAINT ck_participants_delivered CHECK (last_delivered_seq >= last_read_seq)
        ) WITH (fillfactor = 90);

        -- The inbox: a user's conversations by the day of their newest message.
        CREATE INDEX ix_participants_inbox ON participants (user_id, activity_day DESC, conversation_id) WHERE left_at IS NULL;
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE participants;
        DROP TABLE slugs;
        DROP TABLE direct_keys;
        DROP TABLE conversations;
        """);
}
