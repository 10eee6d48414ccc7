using System.Diagnostics;
using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>Runs in processes of their own, at once, killed and stopped.</summary>
[Parallelizable(ParallelScope.All)]
sealed class InterruptedRunTests
{
    const string AtTheGateSql = """
        SELECT count(*) = 1
        FROM pg_locks
        WHERE locktype = 'advisory'
            AND objid = 42
            AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    const string BuildWaitsSql = """
        SELECT count(*) = 1
        FROM pg_stat_activity
        WHERE datname = current_database()
            AND pid <> pg_backend_pid()
            AND query LIKE '%CREATE INDEX CONCURRENTLY%'
            AND wait_event_type = 'Lock'
        """;

    const string NobodyMigratesSql = """
        SELECT count(*) = 0
        FROM pg_stat_activity
        WHERE datname = current_database()
            AND application_name = 'messaging-db'
        """;

    const string EndRunsSql = """
        SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE datname = current_database()
            AND application_name = 'messaging-db'
        """;

    const string IndexIsValidSql = """
        SELECT indisvalid
        FROM pg_index
        WHERE indexrelid = 'ix_people_name'::regclass
        """;

    [Test]
    public async Task Of_two_runs_at_once_the_second_waits_says_so_and_finds_nothing_to_do()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await using var gate = await CloseGateAsync(database);
        Script[] scripts = [Scripts.People, Scripts.Gate];

        using var first = Tool.Start(database.ConnectionString, scripts, "up");
        await database.UntilAsync(AtTheGateSql);
        using var second = Tool.Start(database.ConnectionString, scripts, "up");
        await second.UntilItSaysAsync("Another messaging-db works on this database");
        await gate.CloseAsync();

        Assert.That(await first.EndAsync(), Has.Property("ExitCode").Zero.And.Property("Output").Contains("2 scripts, done."));
        Assert.That(await second.EndAsync(), Has.Property("ExitCode").Zero.And.Property("Output").EndsWith("Up to date."));
    }

    [Test]
    public async Task A_run_killed_inside_a_script_is_continued_by_the_next()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await using var gate = await CloseGateAsync(database);
        Script[] scripts = [Scripts.People, Scripts.Gate, Scripts.NameIndex];
        using var killed = Tool.Start(database.ConnectionString, scripts, "up", "--lock-timeout", "1min");
        await database.UntilAsync(AtTheGateSql);

        killed.Kill();
        await database.UntilAsync(NobodyMigratesSql);
        await gate.CloseAsync();
        var next = await Tool.RunAsync(database.ConnectionString, scripts, "up");

        Assert.That(next, Has.Property("ExitCode").Zero.And.Property("Output").StartsWith("202601020001 gate: applied")
            .And.Property("Output").EndsWith("2 scripts, done."));
    }

    [Test]
    public async Task A_run_told_to_stop_takes_back_the_script_it_was_in()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await using var gate = await CloseGateAsync(database);
        Script[] scripts = [Scripts.People, Scripts.Gate];
        using var tool = Tool.Start(database.ConnectionString, scripts, "up");
        await database.UntilAsync(AtTheGateSql);

        using var kill = Process.Start("kill", ["-TERM", tool.Id.ToString(null, null)]);
        var end = await tool.EndAsync();

        Assert.That(end, Has.Property("ExitCode").EqualTo(1).And.Property("Errors").StartsWith("Stopped"));
        Assert.That(await database.ScalarAsync<bool>("SELECT to_regclass('people') IS NOT NULL AND to_regclass('gate') IS NULL"));
    }

    [Test]
    public async Task A_run_whose_connection_is_ended_says_so_in_one_line()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await using var gate = await CloseGateAsync(database);
        using var tool = Tool.Start(database.ConnectionString, [Scripts.People, Scripts.Gate], "up");
        await database.UntilAsync(AtTheGateSql);

        await database.ExecuteAsync(EndRunsSql);
        var end = await tool.EndAsync();

        Assert.That(end.ExitCode, Is.EqualTo(1), end.Errors);
        Assert.That(
            end.Errors, Does.Match("^202601020001 gate(: the connection was lost| failed: terminating connection)").And.Not.Contain('\n'));
    }

    [Test]
    public async Task A_concurrent_build_that_was_killed_is_dropped_and_built_anew()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        Script[] scripts = [Scripts.People, Scripts.NameIndex];
        await Tool.RunAsync(database.ConnectionString, scripts, "up", "--to", "202601010001");
        await using var writer = await WriteAsync(database);
        using var killed = Tool.Start(database.ConnectionString, scripts, "up");
        await database.UntilAsync(BuildWaitsSql);

        killed.Kill();
        await database.UntilAsync(NobodyMigratesSql);
        Assert.That(await database.ScalarAsync<bool?>(IndexIsValidSql), Is.False, "the kill left an invalid index");
        await writer.CloseAsync();
        var next = await Tool.RunAsync(database.ConnectionString, scripts, "up");

        Assert.That(next, Has.Property("ExitCode").Zero.And.Property("Output").Contains("dropping ix_people_name, left invalid"));
        Assert.That(await database.ScalarAsync<bool?>(IndexIsValidSql), Is.True);
    }

    static Task<NpgsqlConnection> CloseGateAsync(TestDatabase database) => HoldAsync(database, "SELECT pg_advisory_lock(42)");

    // A concurrent build waits for every transaction that has written to the table.
    static Task<NpgsqlConnection> WriteAsync(TestDatabase database) =>
        HoldAsync(database, "BEGIN; INSERT INTO people (id, name) VALUES (1, 'Ada')");

    static async Task<NpgsqlConnection> HoldAsync(TestDatabase database, string sql)
    {
        var connection = await database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
