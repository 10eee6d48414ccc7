namespace Messaging.Migrations.Migrations;

/// <summary>
/// The newest positions of what was in the feed before its trigger, a thousand conversations a commit, while no move is under way, so that
/// neither waits long for the other. What the trigger has kept by then is newer. May be run again.
/// </summary>
[Migration(202611300302, TransactionBehavior.None, "fill_feed_ends (compatible)")]
public sealed class FillFeedEnds : Migration
{
    public override void Up() => Execute.Sql("""
        DO $$
        DECLARE
            part record;
        BEGIN
            FOR part IN
                SELECT array_agg(newest.conversation_id) AS ids, array_agg(newest.position) AS positions
                FROM (
                    SELECT conversation_id, max(position) AS position, row_number() OVER () / 1000 AS batch
                    FROM feed
                    WHERE user_id IS NULL AND conversation_id IS NOT NULL
                    GROUP BY conversation_id
                ) AS newest
                GROUP BY newest.batch
            LOOP
                PERFORM FROM feed_state FOR UPDATE;
                INSERT INTO feed_ends (conversation_id, position)
                SELECT ends.id, ends.position
                FROM unnest(part.ids, part.positions) AS ends (id, position)
                ON CONFLICT (conversation_id) DO NOTHING;
                COMMIT;
            END LOOP;
        END
        $$
        """);

    // The table goes with the script before.
    public override void Down()
    {
    }
}
