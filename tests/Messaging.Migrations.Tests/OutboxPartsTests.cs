namespace Messaging.Migrations.Tests;

/// <summary>The outbox in parts and back in one, with events in it.</summary>
[Parallelizable(ParallelScope.All)]
sealed class OutboxPartsTests
{
    const long Script = 202611290201;

    const string EventsSql = """
        SELECT id, occurred_at, conversation_id, event_no, seq, user_id, type, payload
        FROM outbox
        ORDER BY occurred_at
        """;

    const string ColumnsSql = """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
        FROM pg_attribute
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 'outbox'::regclass AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum
        """;

    [Test]
    public async Task Waiting_events_are_kept_when_the_outbox_is_partitioned()
    {
        await using var database = await DatabaseAsync();
        await AddAsync(database, 1, 5);
        var before = await database.LinesAsync(EventsSql);

        await new Migrator(database.ConnectionString).UpAsync(Script);

        Assert.That(await database.LinesAsync(EventsSql), Is.EqualTo(before));
    }

    [Test]
    public async Task Waiting_events_of_every_part_are_kept_when_the_outbox_is_merged_again()
    {
        await using var database = await DatabaseAsync();
        var columns = await database.LinesAsync(ColumnsSql);
        await new Migrator(database.ConnectionString).UpAsync(Script);
        await AddAsync(database, 1, 5);
        await database.ExecuteAsync("SELECT create_outbox_part(7), setval('outbox_current', 7)");
        await AddAsync(database, 6, 10);
        var before = await database.LinesAsync(EventsSql);

        await new Migrator(database.ConnectionString).DownAsync(ScriptSet.OfThisRelease.Last(script => script.Version < Script).Version);

        Assert.That(before, Has.Count.EqualTo(10));
        Assert.That(await database.LinesAsync(EventsSql), Is.EqualTo(before));
        Assert.That(await database.LinesAsync(ColumnsSql), Is.EqualTo(columns));
    }

    [Test]
    public async Task Up_again_takes_what_came_meanwhile()
    {
        await using var database = await DatabaseAsync();
        await new Migrator(database.ConnectionString).UpAsync(Script);
        await new Migrator(database.ConnectionString).DownAsync(ScriptSet.OfThisRelease.Last(script => script.Version < Script).Version);
        await AddAsync(database, 1, 5);

        await new Migrator(database.ConnectionString).UpAsync(Script);
        await AddAsync(database, 6, 10);

        Assert.That(await database.LinesAsync("SELECT event_no FROM outbox ORDER BY event_no"), Has.Count.EqualTo(10));
    }

    static async Task<TestDatabase> DatabaseAsync()
    {
        var database = await TestServer.CreateDatabaseAsync();
        await new Migrator(database.ConnectionString).UpAsync(ScriptSet.OfThisRelease.Last(script => script.Version < Script).Version);
        return database;
    }

    static Task AddAsync(TestDatabase database, int first, int last) => database.ExecuteAsync(
        $$"""
        INSERT INTO outbox (occurred_at, conversation_id, event_no, seq, user_id, type, payload)
        SELECT now() + i * interval '1 s', gen_random_uuid(), i, i, 'ada', 'test', '{"a": 1}'
        FROM generate_series({{first}}, {{last}}) AS i
        """);
}
