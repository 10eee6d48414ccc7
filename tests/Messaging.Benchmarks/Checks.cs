using Messaging.Application.Receipts;
using Messaging.Benchmarks.Measures;
using Npgsql;

namespace Messaging.Benchmarks;

/// <summary>
/// The promises C1 to C3 and C8 on what was written: every conversation with activity since the start, read back from the base tables.
/// </summary>
static class Checks
{
    const string TouchedSql = """
        CREATE TEMP TABLE touched AS
        SELECT id AS conversation_id
        FROM conversations
        WHERE last_activity_at >= @Since;
        CREATE TEMP TABLE acknowledged (conversation_id uuid, client_key text, seq bigint, id uuid);
        """;

    const string LostSql = """
        SELECT count(*)
        FROM acknowledged a
        LEFT
            JOIN messages m ON m.conversation_id = a.conversation_id AND m.seq = a.seq AND m.id = a.id
                AND m.client_message_id = a.client_key
        WHERE m.id IS NULL
        """;

    const string NotAcknowledgedSql = """
        SELECT count(*)
        FROM messages m
        WHERE m.created_at >= @Since AND m.client_message_id LIKE @Prefix || '%'
            AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.conversation_id = m.conversation_id AND a.client_key = m.client_message_id)
        """;

    const string DoubledSql = """
        SELECT count(*)
        FROM (
            SELECT FROM messages
            WHERE created_at >= @Since AND client_message_id IS NOT NULL
            GROUP BY conversation_id, sender_id, client_message_id
            HAVING count(*) > 1
        ) doubled
        """;

    const string NotDenseSql = """
        SELECT count(*)
        FROM (
            SELECT m.conversation_id, count(*) AS messages, min(m.seq) AS first, max(m.seq) AS last,
                count(*) FILTER (WHERE m.created_at <= m.previous) AS backwards
            FROM (
                SELECT conversation_id, seq, created_at, lag(created_at) OVER (PARTITION BY conversation_id ORDER BY seq) AS previous
                FROM messages
                JOIN touched USING (conversation_id)
            ) m
            GROUP BY m.conversation_id
        ) m
        JOIN conversations c ON c.id = m.conversation_id
        WHERE m.first <> 1 OR m.last <> m.messages OR c.last_seq <> m.messages OR m.backwards > 0
        """;

    const string UnreadSqlText = $"""
        WITH counted AS MATERIALIZED (
            SELECT m.conversation_id, m.seq, m.sender_id,
                count(*) FILTER (WHERE m.type <> 'system' AND m.deleted_at IS NULL) OVER (PARTITION BY m.conversation_id
                    ORDER BY m.seq) AS upto
            FROM messages m
            JOIN touched USING (conversation_id)
        ),
        newest AS (
            SELECT conversation_id, max(upto) AS messages
            FROM counted
            GROUP BY conversation_id
        ),
        own AS (
            SELECT conversation_id, sender_id, max(seq) AS seq
            FROM counted
            GROUP BY conversation_id, sender_id
        )
        SELECT count(*)
        FROM newest
        JOIN conversations c ON c.id = newest.conversation_id
        JOIN participants p ON p.conversation_id = newest.conversation_id AND p.left_at IS NULL
        LEFT JOIN counted at ON at.conversation_id = p.conversation_id AND at.seq = p.last_read_seq
        LEFT JOIN own ON own.conversation_id = p.conversation_id AND own.sender_id = p.user_id
        WHERE {UnreadSql.Messages} <> newest.messages - coalesce(at.upto, 0) OR own.seq > p.last_read_seq
        """;

    const string MentionsSql = """
        SELECT count(*)
        FROM (
            SELECT conversation_id, u.user_id, seq
            FROM messages
            JOIN touched USING (conversation_id)
            CROSS JOIN LATERAL unnest(mentions) AS u (user_id)
            WHERE deleted_at IS NULL
        ) said
        FULL JOIN (SELECT conversation_id, user_id, seq FROM mentions JOIN touched USING (conversation_id)) kept
            USING (conversation_id, user_id, seq)
        WHERE said IS NULL OR kept IS NULL
        """;

    const string LastMessageSql = """
        SELECT count(*)
        FROM touched
        JOIN conversations c ON c.id = touched.conversation_id
        LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq
        WHERE m.id IS DISTINCT FROM c.last_message_id OR m.created_at IS DISTINCT FROM c.last_activity_at
            OR m.sender_id IS DISTINCT FROM c.last_message_sender OR left(m.text, 120) IS DISTINCT FROM c.last_message_text
            OR c.last_activity_day IS DISTINCT FROM (m.created_at AT TIME ZONE 'UTC')::date
            OR EXISTS (
                SELECT FROM participants p
                WHERE p.conversation_id = c.id AND p.left_at IS NULL AND p.activity_day IS DISTINCT FROM c.last_activity_day)
        """;

    public static async Task RunAsync(NpgsqlDataSource database, Acknowledged acknowledged, Report report, CancellationToken ct)
    {
        report.Heading("checks of what was written");
        await using var connection = await database.OpenConnectionAsync(ct);
        await using (var prepare = new NpgsqlCommand(TouchedSql, connection))
        {
            prepare.Parameters.AddWithValue("Since", acknowledged.Since);
            await prepare.ExecuteNonQueryAsync(ct);
        }

        var told = await CopyAsync(connection, acknowledged.All, ct);
        await using (var analyze = new NpgsqlCommand("ANALYZE touched; ANALYZE acknowledged", connection))
            await analyze.ExecuteNonQueryAsync(ct);
        foreach (var (what, sql) in ((string, string)[])
        [
            ("C1 acknowledged messages that are not stored as they were acknowledged", LostSql),
            ("C1 stored messages that were not acknowledged", NotAcknowledgedSql),
            ("C2 keys with more than one message", DoubledSql),
            ("C3 conversations whose seqs are not 1..last_seq in order of time", NotDenseSql),
            ("C8 participants whose unread count is not the recount", UnreadSqlText),
            ("C8 mentions that are counted and not said, or the reverse", MentionsSql),
            ("C8 conversations whose last message is another", LastMessageSql),
        ])
        {
            await using var count = new NpgsqlCommand(sql, connection);
            count.Parameters.AddWithValue("Since", acknowledged.Since);
            count.Parameters.AddWithValue("Prefix", acknowledged.Prefix);
            var found = (long)(await count.ExecuteScalarAsync(ct))!;
            report.Check(found == 0, $"{what}: {found}");
        }

        report.Check(told > 0, $"acknowledged messages looked up: {told:N0}");
    }

    static async Task<ulong> CopyAsync(NpgsqlConnection connection, IEnumerable<Acknowledgement> all, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(
            "COPY acknowledged (conversation_id, client_key, seq, id) FROM STDIN (FORMAT binary)", ct);
        foreach (var message in all)
            await rows.WriteRowAsync(ct, message.Conversation, message.Key, message.Seq, message.Id);
        return await rows.CompleteAsync(ct);
    }
}
