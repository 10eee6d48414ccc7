namespace Messaging.Migrations.Tests;

/// <summary>The last days of conversations, for a feed that is there already and goes on.</summary>
[Parallelizable(ParallelScope.All)]
sealed class FeedEndsTests
{
    const long Trigger = 202611300301;

    const long Fill = 202611300302;

    const long Days = 202611300303;

    // A day that is too late costs a look in vain; one that is too early would hide events.
    const string WrongSql = """
        SELECT told.conversation_id, ends.day
        FROM (
            SELECT conversation_id, max(occurred_at AT TIME ZONE 'UTC')::date AS day
            FROM feed
            WHERE user_id IS NULL AND conversation_id IS NOT NULL
            GROUP BY conversation_id
        ) AS told
        FULL JOIN feed_ends AS ends USING (conversation_id)
        WHERE told.day IS NULL OR ends.day IS NULL OR told.day > ends.day
        """;

    [Test]
    public async Task Ends_are_those_of_the_events_before_between_and_after()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var migrator = new Migrator(database.ConnectionString);
        await migrator.UpAsync(ScriptSet.OfThisRelease.Last(script => script.Version < Trigger).Version);
        await database.ExecuteAsync("SELECT create_feed_partition(current_date + ahead) FROM generate_series(0, 1) AS ahead");
        await AddAsync(database, 1, 6_000);
        await migrator.UpAsync(Trigger);
        await AddAsync(database, 6_001, 6_100);
        await migrator.UpAsync(Fill);
        await AddAsync(database, 6_101, 6_110);
        await migrator.UpAsync(Days);
        await AddAsync(database, 6_111, 6_120, day: 1);

        Assert.That(await database.LinesAsync("SELECT conversation_id FROM feed_ends"), Has.Count.EqualTo(2_500));
        Assert.That(await database.LinesAsync("SELECT day FROM feed_ends WHERE day > current_date"), Has.Count.EqualTo(8));
        Assert.That(await database.LinesAsync(WrongSql), Is.Empty);
    }

    // Of the later ones one in five is a user's own.
    static Task AddAsync(TestDatabase database, int first, int last, int day = 0) => database.ExecuteAsync(
        $"""
        INSERT INTO feed (position, occurred_at, conversation_id, user_id, type)
        SELECT n, current_date + {day}, md5((n % 2500)::text)::uuid, CASE WHEN n % 5 = 1 AND n > 2500 THEN 'ada' END, 'test'
        FROM generate_series({first}, {last}) AS n
        """);
}
