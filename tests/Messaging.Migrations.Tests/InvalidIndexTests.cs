using Npgsql;

namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class InvalidIndexTests
{
    const string IndexesSql = """
        SELECT indexrelid::regclass::text, indisvalid
        FROM pg_index
        WHERE indrelid = 'people'::regclass AND NOT indisprimary
        ORDER BY indexrelid::regclass::text
        """;

    [Test]
    public async Task An_invalid_index_that_an_applied_script_made_is_rebuilt()
    {
        await using var database = await MigratedAsync();
        await database.ExecuteAsync("DROP INDEX ix_people_name");
        await LeaveInvalidAsync(database, "ix_people_name");

        var run = await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(run.RebuiltIndexes, Is.EqualTo((string[])["ix_people_name"]));
        Assert.That(await database.LinesAsync(IndexesSql), Is.EqualTo((string[])["ix_people_name|True"]));
    }

    [Test]
    public async Task The_leftover_of_an_interrupted_rebuild_is_dropped()
    {
        await using var database = await MigratedAsync();
        await LeaveInvalidAsync(database, "ix_people_name_ccnew");

        await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(await database.LinesAsync(IndexesSql), Is.EqualTo((string[])["ix_people_name|True"]));
    }

    [Test]
    public async Task An_invalid_index_that_no_script_made_is_named_and_left()
    {
        await using var database = await MigratedAsync();
        await LeaveInvalidAsync(database, "ix_by_hand");
        using var output = new Recorder();

        await database.Migrator(Scripts.Sample, output).UpAsync();

        Assert.That(output.ToString(), Does.Contain("ix_by_hand is invalid, but no script made it"));
        Assert.That(await database.LinesAsync(IndexesSql), Does.Contain("ix_by_hand|False"));
    }

    [Test]
    public async Task A_build_that_finished_after_its_run_was_killed_is_recorded_and_not_repeated()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.Nicknames.Version);
        await database.ExecuteAsync("CREATE INDEX ix_people_name ON people (name)");

        await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That((await database.Migrator(Scripts.Sample).StatusAsync()).Waiting, Is.Empty);
    }

    [Test]
    public async Task A_drop_that_finished_after_its_run_was_killed_is_recorded_and_not_repeated()
    {
        await using var database = await MigratedAsync();
        await database.ExecuteAsync("DROP INDEX ix_people_name");

        await database.Migrator(Scripts.Sample).DownAsync(Scripts.Nicknames.Version);

        Assert.That((await database.Migrator(Scripts.Sample).StatusAsync()).Waiting, Is.EqualTo((Script[])[Scripts.NameIndex]));
    }

    [Test]
    public async Task Statements_already_done_are_not_repeated()
    {
        await using var database = await MigratedAsync();
        var two = Scripts.OutsideTransaction(
            202601040001, "two_indexes",
            ["CREATE INDEX CONCURRENTLY ix_a ON people (id);", "CREATE INDEX CONCURRENTLY ix_b ON people (id);"],
            ["DROP INDEX CONCURRENTLY ix_a;", "DROP INDEX CONCURRENTLY ix_b;"]);
        var migrator = database.Migrator(new ScriptSet([.. Scripts.Sample, two]));
        await database.ExecuteAsync("CREATE INDEX ix_a ON people (id)");

        await migrator.UpAsync();
        Assert.That(await database.LinesAsync(IndexesSql), Is.EqualTo((string[])["ix_a|True", "ix_b|True", "ix_people_name|True"]));
        await database.ExecuteAsync("DROP INDEX ix_a");
        await migrator.DownAsync(Scripts.NameIndex.Version);

        Assert.That(await database.LinesAsync(IndexesSql), Is.EqualTo((string[])["ix_people_name|True"]));
    }

    [Test]
    public void Each_text_of_a_script_outside_a_transaction_is_exactly_one_statement()
    {
        var two = Scripts.OutsideTransaction(1, "two", [$"{Scripts.NameIndex.Up[0]}\nCREATE INDEX CONCURRENTLY ix_b ON people (id);"], []);

        Assert.That(() => new ScriptSet([two]), Throws.TypeOf<MigrationException>().With.Message.Contains("exactly one statement"));
    }

    static async Task<TestDatabase> MigratedAsync()
    {
        var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();
        return database;
    }

    // A unique build over equal names fails at its end and leaves an index as an interrupted one does.
    static async Task LeaveInvalidAsync(TestDatabase database, string index)
    {
        await database.ExecuteAsync("INSERT INTO people (id, name) VALUES (1, 'Ada'), (2, 'Ada')");
        Assert.That(
            () => database.ExecuteAsync($"CREATE UNIQUE INDEX CONCURRENTLY {index} ON people (name)"), Throws.TypeOf<PostgresException>());
        await database.ExecuteAsync("DELETE FROM people");
    }
}
