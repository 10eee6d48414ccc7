namespace Messaging.Migrations.Migrations;

/// <summary>
/// What webhooks are told: each delivery with the bytes that were fixed when it was made. Those of one webhook and one conversation form a
/// lane, which is taken by one node at a time and gone through in order; a lane is there while something in it waits. A webhook's place
/// says whether it follows the feed with all others or behind them, and since when it fails. There are no foreign keys: a webhook is
/// deleted at once, and what it leaves behind in batches.
/// </summary>
[Migration(202611300202, "create_webhook_deliveries (compatible)")]
public sealed class CreateWebhookDeliveries : Migration
{
    private const string Lanes = """
        -- Where the feed is read for a webhook next; null while it is read together with the others at the feed's end.
        CREATE TABLE webhook_places (
            webhook_id    uuid        NOT NULL,
            position      bigint,
            failures      integer     NOT NULL DEFAULT 0,
            failing_since timestamptz,
            quiet_until   timestamptz NOT NULL DEFAULT '-infinity',
            CONSTRAINT pk_webhook_places PRIMARY KEY (webhook_id)
        ) WITH (fillfactor = 50);

        -- The number of the claim fences off a node that was paused while it held the lane. due_at is when it may be taken: while it
        -- is taken, when that runs out.
        CREATE TABLE webhook_lanes (
            webhook_id    uuid        NOT NULL,
            lane          uuid        NOT NULL,
            claim         bigint      NOT NULL DEFAULT 0,
            claimed_until timestamptz,
            due_at        timestamptz NOT NULL,
            CONSTRAINT pk_webhook_lanes PRIMARY KEY (webhook_id, lane)
        ) WITH (autovacuum_vacuum_scale_factor = 0.01);

        CREATE INDEX ix_webhook_lanes_due ON webhook_lanes (webhook_id, due_at);
        """;

    private const string Deliveries = """
        CREATE TABLE webhook_deliveries (
            id         uuid        NOT NULL,
            webhook_id uuid        NOT NULL,
            lane       uuid        NOT NULL,
            position   bigint      NOT NULL,
            event_id   text        NOT NULL,
            type       text        NOT NULL,
            body       bytea       NOT NULL,
            state      text        NOT NULL DEFAULT 'pending',
            tries      integer     NOT NULL DEFAULT 0,
            next_at    timestamptz,
            attempts   jsonb       NOT NULL DEFAULT '[]',
            created_at timestamptz NOT NULL,
            ended_at   timestamptz,
            CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
            CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'parked')),
            CONSTRAINT ck_webhook_deliveries_ended CHECK ((state = 'pending') = (ended_at IS NULL)),
            CONSTRAINT ck_webhook_deliveries_next CHECK ((state = 'pending') = (next_at IS NOT NULL))
        ) WITH (autovacuum_vacuum_scale_factor = 0.02);

        -- What a lane goes through, in order.
        CREATE INDEX ix_webhook_deliveries_lane ON webhook_deliveries (webhook_id, lane, position, id) WHERE state = 'pending';

        -- The log of a webhook, newest first; and how much of it waits.
        CREATE INDEX ix_webhook_deliveries_log ON webhook_deliveries (webhook_id, state, created_at, position, id);

        CREATE INDEX ix_webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
        """;

    public override void Up()
    {
        Execute.Sql(Lanes);
        Execute.Sql(Deliveries);
    }

    public override void Down() => Execute.Sql("""
        DROP TABLE webhook_deliveries;
        DROP TABLE webhook_lanes;
        DROP TABLE webhook_places;
        """);
}
