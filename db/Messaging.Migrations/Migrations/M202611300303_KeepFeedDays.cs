namespace Messaging.Migrations.Migrations;

/// <summary>
/// Of each conversation the last day on which something happened in it, instead of the newest position. A row that is updated for every
/// move leaves a dead version each time, and while a snapshot is open elsewhere, such as a dump's, each update and each look walks over all
/// of them. This one is updated once a day. What is there is said to be of today: looking into a conversation in vain costs little,
/// not looking would miss events.
/// </summary>
[Migration(202611300303, "keep_feed_days (compatible)")]
public sealed class KeepFeedDays : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE feed_ends ADD COLUMN day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date, DROP COLUMN position;
        ALTER TABLE feed_ends ALTER COLUMN day DROP DEFAULT;

        -- Once for each move, in its transaction. Writes only where the day is a later one. Asks for each conversation by itself, since a
        -- plan that joins would read all of them.
        CREATE OR REPLACE FUNCTION keep_feed_ends() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO feed_ends AS ends (conversation_id, day)
            SELECT moved.conversation_id, moved.day
            FROM (
                SELECT conversation_id, max((occurred_at AT TIME ZONE 'UTC')::date) AS day
                FROM added
                WHERE user_id IS NULL AND conversation_id IS NOT NULL
                GROUP BY conversation_id
            ) AS moved
            WHERE coalesce(
                (SELECT known.day FROM feed_ends known WHERE known.conversation_id = moved.conversation_id) < moved.day, true)
            ON CONFLICT (conversation_id) DO UPDATE SET day = excluded.day WHERE ends.day < excluded.day;
            RETURN NULL;
        END
        $$;
        """);

    // A position may be told as later than it is, by the same reason.
    public override void Down() => Execute.Sql("""
        ALTER TABLE feed_ends ADD COLUMN position bigint, DROP COLUMN day;
        UPDATE feed_ends SET position = (SELECT last_position FROM feed_state);
        ALTER TABLE feed_ends ALTER COLUMN position SET NOT NULL;

        CREATE OR REPLACE FUNCTION keep_feed_ends() RETURNS trigger LANGUAGE plpgsql AS $$
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
        """);
}
