using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>What a script does to rows that are there already.</summary>
sealed class StoredNumberTests
{
    const long Script = 202611280501;

    const string NumbersSql = """
        SELECT (SELECT metadata FROM users), (SELECT metadata FROM conversations), (SELECT metadata FROM messages),
            (SELECT metadata FROM message_edits),
            (SELECT metadata FROM message_originals), (SELECT payload FROM outbox), (SELECT payload FROM feed)
        """;

    [TestCase("1e-16383", "0")]
    [TestCase("-1e-399", "0")]
    [TestCase("1e-390", null)]
    [TestCase("1e300", null)]
    [TestCase("1.50", null)]
    public async Task A_number_that_grew_becomes_the_nearest_double_wherever_it_is_stored(string number, string? expected)
    {
        await using var database = await DatabaseWithAsync($$"""{"a": [{{number}}, "1e-16383"], "b": []}""");
        var before = await database.LinesAsync(NumbersSql);

        await new Migrator(database.ConnectionString).UpAsync(Script);

        var cleaned = string.Join('|', Enumerable.Repeat($$"""{"a": [{{expected}}, "1e-16383"], "b": []}""", 7));
        Assert.That(await database.LinesAsync(NumbersSql), Is.EqualTo(expected is null ? before : [cleaned]));
    }

    [Test]
    public async Task Many_digits_become_those_of_a_double_and_a_text_of_digits_stays()
    {
        var digits = new string('3', 500);
        await using var database = await DatabaseWithAsync($$"""{"a": -12345.{{digits}}, "b": "{{digits}}"}""");

        await new Migrator(database.ConnectionString).UpAsync(Script);

        Assert.That(await database.LinesAsync("SELECT metadata FROM users"),
            Is.EqualTo((string[])[$$"""{"a": -12345.333333333334, "b": "{{digits}}"}"""]));
    }

    [Test]
    public async Task Rows_by_the_thousand_are_cleaned_in_many_commits()
    {
        await using var database = await DatabaseWithAsync("{}");
        await database.ExecuteAsync(
            "INSERT INTO users (id, metadata, created_at, updated_at) SELECT n, '{\"a\": 1e-500}', now(), now() "
                + "FROM generate_series(1, 5000) AS n");

        await new Migrator(database.ConnectionString).UpAsync(Script);

        Assert.That(await database.LinesAsync("SELECT metadata, count(*) FROM users GROUP BY 1 ORDER BY 2"),
            Is.EqualTo((string[])["{}|1", "{\"a\": 0}|5000"]));
        Assert.That(
            await database.ScalarAsync<long>("SELECT max(rows) FROM (SELECT count(*) AS rows FROM users GROUP BY xmin::text) AS t"),
            Is.LessThanOrEqualTo(1_000));
    }

    [Test]
    public async Task A_row_that_an_update_moves_to_an_earlier_page_meanwhile_is_cleaned()
    {
        await using var database = await DatabaseWithAsync("{}");
        await database.ExecuteAsync(
            "INSERT INTO users (id, metadata, created_at, updated_at) SELECT n, '{\"a\": 1e-500}', now(), now() "
                + "FROM generate_series(1000, 4999) AS n");
        await database.ExecuteAsync("DELETE FROM users WHERE id < '2000'");
        await database.ExecuteAsync("VACUUM users");
        await using var holder = await HoldAsync(database, "SELECT FROM users WHERE id = '3000' FOR UPDATE");

        var up = new Migrator(database.ConnectionString, options: new() { LockTimeout = TimeSpan.FromMinutes(1) }).UpAsync(Script);
        await database.UntilAsync(WaitsSql);
        await database.ExecuteAsync(
            "DO $$ BEGIN FOR i IN 1..20 LOOP UPDATE users SET updated_at = now() WHERE id = '4900'; END LOOP; END $$");
        Assert.That(await database.ScalarAsync<bool>(MovedSql), Is.True, "it moved");
        await holder.CloseAsync();
        await up;

        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM users WHERE length(metadata::text) > 400"), Is.Zero);
    }

    [Test]
    public async Task Where_nothing_is_to_be_cleaned_no_transaction_lasts_either()
    {
        await using var database = await DatabaseWithAsync("{}");
        await using var holder = await HoldAsync(database, "LOCK TABLE feed IN ACCESS EXCLUSIVE MODE");

        var up = new Migrator(database.ConnectionString, options: new() { LockTimeout = TimeSpan.FromMinutes(1) }).UpAsync(Script);
        await database.UntilAsync(WaitsSql);

        Assert.That(
            await database.ScalarAsync<bool>($"SELECT bool_and(xact_start > query_start) FROM pg_stat_activity WHERE {Waiting}"), Is.True);
        await holder.CloseAsync();
        await up;
    }

    const string MovedSql = "SELECT ctid < (SELECT ctid FROM users WHERE id = '3000') FROM users WHERE id = '4900'";

    const string Waiting = "datname = current_database() AND application_name = 'messaging-db' AND wait_event_type = 'Lock'";

    const string WaitsSql = $"SELECT count(*) > 0 FROM pg_stat_activity WHERE {Waiting}";

    static async Task<NpgsqlConnection> HoldAsync(TestDatabase database, string sql)
    {
        var connection = await database.OpenAsync();
        await using var command = new NpgsqlCommand($"BEGIN; {sql}", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    static async Task<TestDatabase> DatabaseWithAsync(string json)
    {
        var database = await TestServer.CreateDatabaseAsync();
        await new Migrator(database.ConnectionString).UpAsync(ScriptSet.OfThisRelease.Last(script => script.Version < Script).Version);
        await database.ExecuteAsync(
            $"""
            SELECT create_messages_partition(current_date), create_feed_partition(current_date);
            INSERT INTO users (id, metadata, created_at, updated_at) VALUES ('anna', '{json}', now(), now());
            INSERT INTO conversations (id, type, metadata, participant_count, created_at, updated_at, last_event_at, last_activity_at)
            VALUES (gen_random_uuid(), 'group', '{json}', 0, now(), now(), now(), now());
            INSERT INTO messages (conversation_id, seq, created_at, id, type, metadata)
            VALUES (gen_random_uuid(), 1, now(), gen_random_uuid(), 'text', '{json}');
            INSERT INTO message_edits (conversation_id, seq, version, metadata, edited_at)
            VALUES (gen_random_uuid(), 1, 1, '{json}', now());
            INSERT INTO message_originals (conversation_id, seq, metadata) VALUES (gen_random_uuid(), 1, '{json}');
            INSERT INTO outbox (occurred_at, type, payload) VALUES (now(), 'message:new', '{json}');
            INSERT INTO feed (position, occurred_at, type, payload) VALUES (1, now(), 'message:new', '{json}');
            """);
        return database;
    }
}
