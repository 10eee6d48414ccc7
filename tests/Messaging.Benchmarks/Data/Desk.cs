using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>Somebody in 10,000 conversations in all of which something was said today, and whose inbox is kept in places.</summary>
static class Desk
{
    public const string UserId = "desk";

    const string FillSql = """
        INSERT INTO users (id, display_name, created_at, updated_at)
        SELECT 'desk', 'Desk', now(), now()
        UNION ALL
        SELECT 'desk-' || n, 'Visitor ' || n, now(), now()
        FROM generate_series(1, 10000) AS n
        ON CONFLICT DO NOTHING;

        WITH planned AS (
            SELECT n, gen_random_uuid() AS id, at.at, (at.at AT TIME ZONE 'UTC')::date AS day
            FROM generate_series(1, 10000) AS n,
                LATERAL (SELECT greatest(now() - make_interval(secs => n), date_trunc('day', now(), 'UTC')) AS at) AS at
            WHERE NOT EXISTS (SELECT FROM participants WHERE user_id = 'desk' AND activity_day = (now() AT TIME ZONE 'UTC')::date)
        ),
        c AS (
            INSERT INTO conversations (id, type, created_by, participant_count, created_at, updated_at, last_seq, event_no, last_event_at,
                last_activity_at, last_activity_day, last_message_id, last_message_type, last_message_sender, last_message_text)
            SELECT id, 'direct', 'desk-' || n, 2, at, at, 1, 1, at, at, day, gen_random_uuid(), 'text', 'desk-' || n, 'hello'
            FROM planned
        )
        INSERT INTO participants (conversation_id, user_id, role, joined_at, last_read_seq, last_delivered_seq, activity_day)
        SELECT planned.id, member.id, 'member', at, 0, 0, day
        FROM planned, LATERAL (VALUES ('desk'), ('desk-' || n)) AS member (id);

        INSERT INTO inbox_places (conversation_id, user_id, activity_at)
        SELECT c.id, p.user_id, c.last_activity_at
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.user_id = 'desk'
        ON CONFLICT DO NOTHING;

        INSERT INTO large_inboxes (user_id, started_at, filled_at)
        VALUES ('desk', now(), now())
        ON CONFLICT DO NOTHING;
        """;

    public static async Task FillAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        foreach (var sql in (string[])[FillSql, "VACUUM ANALYZE participants, conversations, inbox_places, large_inboxes"])
        {
            await using var command = database.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
