namespace Messaging.Migrations.Migrations;

/// <summary>Events: a command's transaction appends to outbox, the one sequencer moves what is committed to feed and numbers it.</summary>
[Migration(202611200005, "create_events")]
public sealed class CreateEvents : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE outbox (
            id              uuid        NOT NULL DEFAULT gen_random_uuid(),
            occurred_at     timestamptz NOT NULL,
            conversation_id uuid,
            event_no        bigint,
            seq             bigint,
            user_id         text COLLATE "C",
            type            text        NOT NULL,
            payload         jsonb       NOT NULL,
            CONSTRAINT pk_outbox PRIMARY KEY (occurred_at, id)
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = off);

        CREATE TABLE feed (
            position        bigint      NOT NULL,
            occurred_at     timestamptz NOT NULL,
            conversation_id uuid,
            seq             bigint,
            user_id         text COLLATE "C",
            type            text        NOT NULL,
            payload         jsonb       NOT NULL,
            CONSTRAINT pk_feed PRIMARY KEY (position, occurred_at)
        ) PARTITION BY RANGE (occurred_at);

        -- What one user missed: the events of each conversation, and those addressed to the user alone.
        CREATE INDEX ix_feed_conversation ON feed (conversation_id, position) WHERE user_id IS NULL;
        CREATE INDEX ix_feed_user ON feed (user_id, position) WHERE user_id IS NOT NULL;

        -- The feed's one row of state. Positions up to expired_position are no longer kept. The epoch stands in every cursor and
        -- changes when origin (cluster, timeline, database, table) does: positions then no longer mean what they meant.
        CREATE TABLE feed_state (
            id               boolean NOT NULL DEFAULT true,
            epoch            bigint  NOT NULL,
            origin           text    NOT NULL,
            last_position    bigint  NOT NULL DEFAULT 0,
            expired_position bigint  NOT NULL DEFAULT 0,
            CONSTRAINT pk_feed_state PRIMARY KEY (id),
            CONSTRAINT ck_feed_state_one_row CHECK (id)
        );

        INSERT INTO feed_state (epoch, origin) VALUES (0, '');

        -- Who leads what in the cluster. The fencing number rises with each holder, so a paused one that wakes up can do no harm.
        CREATE TABLE leases (
            name       text COLLATE "C" NOT NULL,
            holder     text             NOT NULL,
            fencing    bigint           NOT NULL,
            expires_at timestamptz      NOT NULL,
            CONSTRAINT pk_leases PRIMARY KEY (name)
        );

        -- Makes the day of the feed, if it is not there yet; answers whether it did. ATTACH as for messages.
        CREATE FUNCTION create_feed_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            partition text := 'feed_' || to_char(day, 'YYYY_MM_DD');
        BEGIN
            IF to_regclass(partition) IS NOT NULL THEN
                RETURN false;
            END IF;
            EXECUTE format('CREATE TABLE %I (LIKE feed INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
            EXECUTE format('ALTER TABLE feed ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
            RETURN true;
        EXCEPTION WHEN duplicate_table THEN
            RETURN false;
        END
        $$;
        """);

    public override void Down() => Execute.Sql("""
        DROP FUNCTION create_feed_partition(date);
        DROP TABLE leases;
        DROP TABLE feed_state;
        DROP TABLE feed;
        DROP TABLE outbox;
        """);
}
