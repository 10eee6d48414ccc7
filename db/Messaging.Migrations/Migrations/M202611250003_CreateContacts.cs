namespace Messaging.Migrations.Migrations;

/// <summary>Who knows whom: contacts in both directions, blocks, and first messages that wait for an answer.</summary>
[Migration(202611250003, "create_contacts")]
public sealed class CreateContacts : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE contacts (
            user_id      text COLLATE "C" NOT NULL,
            contact_id   text COLLATE "C" NOT NULL,
            status       text             NOT NULL,
            requested_by text COLLATE "C" NOT NULL,
            created_at   timestamptz      NOT NULL,
            accepted_at  timestamptz,
            CONSTRAINT pk_contacts PRIMARY KEY (user_id, contact_id),
            CONSTRAINT fk_contacts_users FOREIGN KEY (user_id) REFERENCES users (id),
            CONSTRAINT fk_contacts_contacts FOREIGN KEY (contact_id) REFERENCES users (id),
            CONSTRAINT ck_contacts_status CHECK (status IN ('pending', 'accepted')),
            CONSTRAINT ck_contacts_others CHECK (user_id <> contact_id)
        );

        CREATE TABLE blocks (
            user_id    text COLLATE "C" NOT NULL,
            blocked_id text COLLATE "C" NOT NULL,
            created_at timestamptz      NOT NULL,
            CONSTRAINT pk_blocks PRIMARY KEY (user_id, blocked_id),
            CONSTRAINT fk_blocks_users FOREIGN KEY (user_id) REFERENCES users (id),
            CONSTRAINT fk_blocks_blocked FOREIGN KEY (blocked_id) REFERENCES users (id),
            CONSTRAINT ck_blocks_others CHECK (user_id <> blocked_id)
        );

        -- One that is not accepted for each pair of users; pair is both ids in their order.
        CREATE TABLE message_requests (
            id              uuid             NOT NULL,
            conversation_id uuid             NOT NULL,
            pair            text COLLATE "C" NOT NULL,
            from_id         text COLLATE "C" NOT NULL,
            to_id           text COLLATE "C" NOT NULL,
            status          text             NOT NULL,
            seq             bigint           NOT NULL,
            message_at      timestamptz      NOT NULL,
            created_at      timestamptz      NOT NULL,
            answered_at     timestamptz,
            CONSTRAINT pk_message_requests PRIMARY KEY (id),
            CONSTRAINT ck_message_requests_status CHECK (status IN ('pending', 'accepted', 'declined'))
        );

        CREATE UNIQUE INDEX uq_message_requests_pair ON message_requests (pair) WHERE status <> 'accepted';
        CREATE INDEX ix_message_requests_to ON message_requests (to_id, id DESC);
        CREATE INDEX ix_message_requests_from ON message_requests (from_id, id DESC);
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE message_requests;
        DROP TABLE blocks;
        DROP TABLE contacts;
        """);
}
