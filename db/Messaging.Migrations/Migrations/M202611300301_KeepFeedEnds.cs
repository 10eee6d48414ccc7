namespace Messaging.Migrations.Migrations;

/// <summary>
/// The newest position of each conversation in the feed, so that whoever resumes looks only into conversations in which something happened.
/// A trigger keeps it: it holds whichever release's sequencer moves events. A table of its own, without another index: its updates are HOT,
/// and nobody but the one sequencer waits for its rows.
/// </summary>
[Migration(202611300301, "keep_feed_ends (compatible)")]
public sealed class KeepFeedEnds : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE feed_ends (
            conversation_id uuid   NOT NULL,
            position        bigint NOT NULL,
            CONSTRAINT pk_feed_ends PRIMARY KEY (conversation_id)
        ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

        -- Once for each move, in its transaction. Positions only rise.
        CREATE FUNCTION keep_feed_ends() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO feed_ends (conversation_id, position)
            SELECT conversation_id, max(position)
            FROM added
            WHERE user_id IS NULL AND conversation_id IS NOT NULL
            GROUP BY conversation_id
            ON CONFLICT (conversation_id) DO UPDATE SET position = excluded.position;
            RETURN NULL;
        END
        $$;

        CREATE TRIGGER keep_feed_ends AFTER INSERT ON feed
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_feed_ends();
        """);

    public override void Down() => Execute.Sql("""
        DROP TRIGGER keep_feed_ends ON feed;
        DROP FUNCTION keep_feed_ends();
        DROP TABLE feed_ends;
        """);
}
