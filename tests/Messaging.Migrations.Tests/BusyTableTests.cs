using Npgsql;

namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class BusyTableTests
{
    static readonly MigratorOptions Impatient = new()
    {
        LockTimeout = TimeSpan.FromMilliseconds(100), FirstPause = TimeSpan.FromMilliseconds(20), Tries = 3,
    };

    [Test]
    public async Task A_busy_table_is_tried_again_when_it_is_free()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.People.Version);
        await using var reader = await HoldPeopleAsync(database);
        using var output = new Recorder(line => LetGoWhen(line.Contains("try 2 of 3", StringComparison.Ordinal), reader));

        await database.Migrator(Scripts.Sample, output, Impatient).UpAsync();

        Assert.That(output.ToString(), Does.Match("add_nicknames: a table is busy .*try 2 of 3(.|\n)*add_nicknames: applied"));
    }

    [Test]
    public async Task A_table_that_stays_busy_fails_the_run_after_its_last_try()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.People.Version);
        await using var reader = await HoldPeopleAsync(database);
        using var output = new Recorder();

        Assert.That(() => database.Migrator(Scripts.Sample, output, Impatient).UpAsync(), Throws.TypeOf<MigrationException>()
            .With.Message.StartsWith("202601020001 add_nicknames failed: canceling statement due to lock timeout"));
        Assert.That(output.ToString().Split("a table is busy"), Has.Length.EqualTo(3), "two more tries were announced");
    }

    [Test]
    public async Task A_concurrent_build_outwaits_the_lock_timeout_since_nobody_waits_behind_it()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.Nicknames.Version);
        await using var reader = await HoldPeopleAsync(database);

        var up = database.Migrator(Scripts.Sample, null, Impatient).UpAsync();
        await database.UntilAsync("""
            SELECT count(*) > 0
            FROM pg_stat_activity
            WHERE datname = current_database()
                AND query LIKE '%CREATE INDEX CONCURRENTLY%'
                AND wait_event_type = 'Lock'
                AND pid <> pg_backend_pid()
                AND now() - query_start > interval '300 ms'
            """);
        await reader.CloseAsync();

        Assert.That((await up).Scripts, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nothing_to_do_waits_for_nobody_who_reads_the_ledger()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();
        await using var dump = await HoldAsync(database, """public."VersionInfo" IN ACCESS SHARE MODE""");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        Assert.That((await database.Migrator(Scripts.Sample).UpAsync(null, limit.Token)).Scripts, Is.Empty);
    }

    static Task<NpgsqlConnection> HoldPeopleAsync(TestDatabase database) => HoldAsync(database, "people IN ROW EXCLUSIVE MODE");

    static async Task<NpgsqlConnection> HoldAsync(TestDatabase database, string tablesAndMode)
    {
        var connection = await database.OpenAsync();
        await using var command = new NpgsqlCommand($"BEGIN; LOCK TABLE {tablesAndMode}", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    static void LetGoWhen(bool said, NpgsqlConnection holder)
    {
        if (said)
            holder.Close();
    }
}
