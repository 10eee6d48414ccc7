using System.Diagnostics;
using Npgsql;

namespace Messaging.Benchmarks.Pushing;

/// <summary>
/// Events in many large groups at once, moved as one batch: what the node reads and how long it takes, by how many of the groups' people
/// are connected to it. A witness, who is in none of the groups, hears the batch's last event.
/// </summary>
sealed class FeedBenchmark(Bench bench)
{
    const int Groups = 1_000;
    const int Members = 300;
    const int Rounds = 5;
    const string Witness = "feed-witness";

    static readonly int[] Connected = [0, 1, 200];

    // A person is in 15 of the groups.
    const string FillSql =
        """
        INSERT INTO users (id, created_at, updated_at)
        SELECT 'feed-' || n, now(), now() FROM generate_series(0, 19999) AS n
        UNION ALL SELECT 'feed-witness', now(), now()
        ON CONFLICT DO NOTHING;
        INSERT INTO conversations (id, type, name, participant_count, created_at, updated_at, last_event_at, last_activity_at)
        SELECT md5('feed group ' || g)::uuid, 'group', 'feed', @Members, now(), now(), now(), now()
        FROM generate_series(0, @Groups - 1) AS g
        ON CONFLICT DO NOTHING;
        INSERT INTO participants (conversation_id, user_id, role, joined_at, activity_day)
        SELECT md5('feed group ' || g)::uuid, 'feed-' || (g * 20 + m * 67) % 20000, 'member', now(), current_date
        FROM generate_series(0, @Groups - 1) AS g
        CROSS JOIN generate_series(0, @Members - 1) AS m
        ON CONFLICT DO NOTHING
        """;

    const string AnalyzeSql = "VACUUM ANALYZE participants";

    const string TellSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, event_no, user_id, type, payload)
        SELECT now() + @Round * interval '1 millisecond', md5('feed group ' || g)::uuid, @Round::bigint, NULL::text,
            'conversation:updated', '{}'::jsonb
        FROM generate_series(0, @Groups - 2) AS g
        UNION ALL
        SELECT now() + (@Round + 1) * interval '1 millisecond', NULL, NULL, 'feed-witness', 'user:updated', '{}'::jsonb
        """;

    const string RowsReadSql =
        """
        SELECT coalesce(sum(coalesce(idx_tup_fetch, 0) + seq_tup_read), 0)::bigint
        FROM pg_stat_user_tables
        WHERE relname = 'participants'
        """;

    public async Task RunAsync()
    {
        bench.Report.Heading($"feed: {Groups:N0} events in as many groups of {Members}, in one batch");
        await FillAsync();
        foreach (var connected in Connected)
            await MeasureAsync(connected);
    }

    // Not with the service's settings, which bound how long a statement takes.
    async Task FillAsync()
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(bench.Database.ConnectionString) { CommandTimeout = 0 }.ConnectionString);
        await ExecuteAsync(source, FillSql, ("Groups", Groups), ("Members", Members));
        await ExecuteAsync(source, AnalyzeSql);
    }

    async Task MeasureAsync(int connected)
    {
        var connections = new List<HubConnection>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(bench.Stop);
        try
        {
            foreach (var user in Enumerable.Range(0, connected).Select(n => $"feed-{n}").Append(Witness))
                connections.Add(await HubConnection.OpenAsync(bench.Service.Port, bench.Service.Requests.Token(user), bench.Stop));
            var listening = connections.SkipLast(1)
                .Select(connection => Task.Run(() => connection.ReceiveAsync(static _ => true, over.Token), over.Token)).ToList();
            await TellAsync(connections[^1], round: 0);
            var times = new List<double>();
            var (rows, cpu) = (await RowsReadAsync(), bench.Cpu());
            for (var round = 1; round <= Rounds; round++)
                times.Add((await TellAsync(connections[^1], round)).TotalMilliseconds);
            var used = bench.Cpu() - cpu;
            var read = (await RowsReadAsync() - rows) / Rounds;
            bench.Report.Check(listening.All(task => !task.IsCompleted), $"{connected} connections stayed open");
            bench.Report.Say(
                $"{connected,5} connected: {read,9:N0} rows of memberships, told within {times.Order().ElementAt(Rounds / 2):0} ms; "
                + $"CPU ms: service {used.Service * 1000 / Rounds:0}, database {used.Database * 1000 / Rounds:0}");
        }
        finally
        {
            await over.CancelAsync();
            connections.ForEach(connection => connection.Dispose());
        }
    }

    // From just before the commit until the witness has the last event.
    async Task<TimeSpan> TellAsync(HubConnection witness, int round)
    {
        var begun = Stopwatch.GetTimestamp();
        await ExecuteAsync(bench.Database.DataSource, TellSql, ("Groups", Groups), ("Round", round));
        await witness.ReceiveAsync(static frame => frame.Span.IndexOf("\"user:updated\""u8) < 0, bench.Stop);
        return Stopwatch.GetElapsedTime(begun);
    }

    // Sessions tell what they have read at the end of a statement, at most once a second; the reader asks for more every second.
    async Task<long> RowsReadAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(3), bench.Stop);
        await using var command = bench.Database.DataSource.CreateCommand(RowsReadSql);
        return (long)(await command.ExecuteScalarAsync(bench.Stop))!;
    }

    async Task ExecuteAsync(NpgsqlDataSource source, string sql, params (string Name, object Value)[] parameters)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var (name, value) in parameters)
            command.Parameters.Add(new NpgsqlParameter(name, value));
        await command.ExecuteNonQueryAsync(bench.Stop);
    }
}
