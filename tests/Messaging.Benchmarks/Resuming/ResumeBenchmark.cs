using System.Globalization;
using Messaging.Application.Events;
using Messaging.Benchmarks.Load;

namespace Messaging.Benchmarks.Resuming;

/// <summary>The first page of what users of few and of many conversations missed, in a feed that is full of what others did.</summary>
sealed class ResumeBenchmark(Bench bench)
{
    const int Events = 5_000_000;

    // Five days of events, each of one of 100,000 conversations. Users are in 1 or in 1,000 of them, or in 1,000 in which nothing
    // happened.
    const string FillSql =
        """
        SET statement_timeout = 0;

        INSERT INTO users (id, created_at, updated_at)
        SELECT id, now(), now() FROM unnest(ARRAY['resume-1', 'resume-1000', 'resume-quiet']) AS id;

        SELECT create_feed_partition((now() AT TIME ZONE 'UTC')::date - ago) FROM generate_series(0, 6) AS ago;

        CREATE TEMP TABLE resumed AS
        SELECT n, gen_random_uuid() AS id FROM generate_series(0, 100999) AS n;
        ALTER TABLE resumed ADD PRIMARY KEY (n);

        INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at)
        SELECT id, 'group', 1, now(), now(), now(), now() FROM resumed;

        INSERT INTO participants (conversation_id, user_id, role, joined_at)
        SELECT resumed.id, member.id, 'member', now()
        FROM resumed
        JOIN (VALUES ('resume-1', 0, 0), ('resume-1000', 1000, 1999), ('resume-quiet', 100000, 100999)) AS member (id, low, high)
            ON n BETWEEN low AND high;

        WITH state AS (
            UPDATE feed_state SET last_position = last_position + 5000000 RETURNING last_position - 5000000 AS before
        )
        INSERT INTO feed (position, occurred_at, conversation_id, type)
        SELECT before + e.n, now() - interval '5 days' + e.n * interval '86400 microseconds', resumed.id, 'test:event'
        FROM generate_series(1, 5000000) AS e (n)
        CROSS JOIN state
        JOIN resumed ON resumed.n = e.n::bigint * 7919 % 100000;
        """;

    const string StateSql =
        """
        SELECT epoch, last_position
        FROM feed_state
        """;

    static readonly (string User, string Of)[] Users =
        [("resume-1", "of 1 conversation"), ("resume-1000", "of 1,000"), ("resume-quiet", "of 1,000 quiet ones")];

    public async Task RunAsync()
    {
        foreach (var sql in (string[])[FillSql, "VACUUM ANALYZE feed, feed_ends, participants, conversations"])
        {
            await using var command = bench.Database.DataSource.CreateCommand(sql);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(bench.Stop);
        }

        var (epoch, last) = await StateAsync();
        bench.Report.Table(string.Create(CultureInfo.InvariantCulture, $"resume: GET /v1/sync?since=, on a feed of {Events:N0} events"));
        foreach (var (user, of) in Users)
        {
            await MeasureAsync($"a user {of}, oldest cursor", user, new FeedCursor(epoch, last - Events));
            await MeasureAsync($"a user {of}, newest cursor", user, new FeedCursor(epoch, last - 10));
        }
    }

    async Task MeasureAsync(string what, string user, FeedCursor since)
    {
        if (!bench.Wants(what))
            return;
        using var connection = await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop);
        var request = bench.Service.Requests.Get(user, $"/v1/sync?since={since}");
        await bench.MeasureAloneAsync(what, 1, async _ => await connection.AskAsync(request) == 200);
    }

    async Task<(long Epoch, long Last)> StateAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand(StateSql);
        await using var reader = await command.ExecuteReaderAsync(bench.Stop);
        await reader.ReadAsync(bench.Stop);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
