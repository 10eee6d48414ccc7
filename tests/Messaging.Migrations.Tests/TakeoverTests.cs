using FluentMigrator.Runner;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>Databases of the runner before FluentMigrator's, and other hosts of FluentMigrator beside messaging-db.</summary>
[Parallelizable(ParallelScope.All)]
sealed class TakeoverTests
{
    const long Last = 202611290901;

    // Both to the letter what that runner ran.
    const string LedgerSql = """
        CREATE TABLE IF NOT EXISTS public."VersionInfo" (
            "Version" bigint NOT NULL,
            "AppliedOn" timestamp,
            "Description" varchar(1024));
        CREATE UNIQUE INDEX IF NOT EXISTS "UC_Version" ON public."VersionInfo" ("Version" ASC);
        CREATE TABLE IF NOT EXISTS public.migration_checksums (
            version bigint CONSTRAINT pk_migration_checksums PRIMARY KEY,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL);
        ALTER TABLE public.migration_checksums ADD COLUMN IF NOT EXISTS compatible boolean NOT NULL DEFAULT false;
        """;

    const string RecordSql = """
        INSERT INTO public."VersionInfo" ("Version", "AppliedOn", "Description")
        VALUES (@Version, clock_timestamp() AT TIME ZONE 'UTC', @Name);
        INSERT INTO public.migration_checksums (version, checksum, compatible, applied_at)
        VALUES (@Version, 'e3b0c442', @Compatible, clock_timestamp())
        """;

    const string VersionsSql = """
        SELECT "Version", "AppliedOn", "Description"
        FROM "VersionInfo"
        WHERE "Version" < 202611291101
        ORDER BY "Version"
        """;

    const string OldLedgerIsThereSql = """
        SELECT to_regclass('migration_checksums') IS NOT NULL
        """;

    [Test]
    public async Task A_filled_database_of_the_runner_before_is_taken_over_as_it_is()
    {
        await using var database = await MadeByTheRunnerBeforeAsync();
        await database.ExecuteAsync("INSERT INTO users (id, display_name, created_at, updated_at) VALUES ('ada', 'Ada', now(), now())");
        var before = await database.LinesAsync(VersionsSql);
        var migrator = new Migrator(database.ConnectionString);

        var run = await migrator.UpAsync();

        Assert.That(run.Scripts.Select(script => script.Version), Is.EqualTo(Newer.Select(script => script.Version)));
        Assert.That(await database.LinesAsync(VersionsSql), Is.EqualTo(before));
        Assert.That(await database.LinesAsync("SELECT id, display_name FROM users"), Is.EqualTo((string[])["ada|Ada"]));
        Assert.That(await database.ScalarAsync<bool>(OldLedgerIsThereSql), Is.False);
        Assert.That((await migrator.VerifyAsync()).Differences, Is.Empty);
    }

    [Test]
    public async Task Before_it_is_taken_over_it_is_verified_and_only_older()
    {
        await using var database = await MadeByTheRunnerBeforeAsync();
        await using var connection = await database.OpenAsync();

        var verification = await new Migrator(database.ConnectionString).VerifyAsync();

        Assert.That(verification.Differences, Is.Empty);
        Assert.That(verification.Waiting, Is.EqualTo(Newer));
        Assert.That((await SchemaVersion.CheckAsync(connection, ScriptSet.OfThisRelease)).State, Is.EqualTo(SchemaState.Older));
    }

    [Test]
    public async Task Migrating_down_restores_the_rows_that_the_previous_runner_wrote()
    {
        await using var database = await MadeByTheRunnerBeforeAsync();
        await database.ExecuteAsync("INSERT INTO users (id, created_at, updated_at) VALUES ('ada', now(), now())");
        var before = await database.LinesAsync(VersionsSql);
        await new Migrator(database.ConnectionString).UpAsync();

        await new Migrator(database.ConnectionString).DownAsync(Last);
        await database.ExecuteAsync(LedgerSql);

        Assert.That(await database.LinesAsync(VersionsSql), Is.EqualTo(before));
        Assert.That(await database.ScalarAsync<long>("""SELECT max("Version") FROM "VersionInfo" """), Is.EqualTo(Last));
        Assert.That(await database.LinesAsync("SELECT id FROM users"), Is.EqualTo((string[])["ada"]));
    }

    [Test]
    public async Task The_old_ledger_goes_when_nobody_reads_it_any_more()
    {
        await using var database = await MadeByTheRunnerBeforeAsync();
        await using var reader = await database.OpenAsync();
        await using var hold = new NpgsqlCommand("BEGIN; LOCK TABLE migration_checksums IN ACCESS SHARE MODE", reader);
        await hold.ExecuteNonQueryAsync();
        using var output = new Recorder(line =>
        {
            if (line.Contains("drop_migration_checksums: a table is busy", StringComparison.Ordinal))
                reader.Close();
        });

        var impatient = new MigratorOptions { LockTimeout = TimeSpan.FromMilliseconds(100) };
        await database.Migrator(ScriptSet.OfThisRelease, output, impatient).UpAsync();

        Assert.That(output.ToString(), Does.Match("drop_migration_checksums: a table is busy(.|\n)*drop_migration_checksums: applied"));
    }

    [Test]
    public async Task A_schema_made_by_another_host_of_FluentMigrator_is_equal_and_nothing_waits()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        Host(database, runner => runner.MigrateUp());
        var migrator = new Migrator(database.ConnectionString);

        var status = await migrator.StatusAsync();

        Assert.That(
            status.Applied.Select(row => (row.Version, row.Name, row.IsCompatible)),
            Is.EqualTo(ScriptSet.OfThisRelease.Select(script => (script.Version, script.Name, script.IsCompatible))));
        Assert.That((status.Waiting.Count, status.Newer.Count, status.Problems.Count), Is.EqualTo((0, 0, 0)));
        Assert.That((await migrator.UpAsync()).Scripts, Is.Empty);
        Assert.That((await migrator.VerifyAsync()).Differences, Is.Empty);
    }

    [Test]
    public async Task Another_host_of_FluentMigrator_takes_back_what_messaging_db_made()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var migrator = new Migrator(database.ConnectionString);
        await migrator.UpAsync();

        Host(database, runner => runner.MigrateDown(ScriptSet.OfThisRelease[0].Version));

        Assert.That((await migrator.StatusAsync()).Waiting, Is.EqualTo(ScriptSet.OfThisRelease.Skip(1)));
        Assert.That((await migrator.VerifyAsync()).Differences, Is.Empty);
    }

    static IEnumerable<Script> Newer => ScriptSet.OfThisRelease.Where(script => script.Version > Last);

    static async Task<TestDatabase> MadeByTheRunnerBeforeAsync()
    {
        var database = await TestServer.CreateDatabaseAsync();
        await using var connection = await database.OpenAsync();
        await RunAsync(LedgerSql);
        foreach (var script in ScriptSet.OfThisRelease.Where(script => script.Version <= Last))
        {
            foreach (var sql in script.Up)
                await RunAsync(sql);
            await RunAsync(RecordSql, new("Version", script.Version), new("Name", script.Name), new("Compatible", script.IsCompatible));
        }

        return database;

        async Task RunAsync(string sql, params NpgsqlParameter[] parameters)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(parameters);
            await command.ExecuteNonQueryAsync();
        }
    }

    // As FluentMigrator's documentation makes one.
    static void Host(TestDatabase database, Action<IMigrationRunner> run)
    {
        using var services = new ServiceCollection()
            .AddFluentMigratorCore()
            .ConfigureRunner(builder => builder
                .AddPostgres15_0()
                .WithGlobalConnectionString($"{database.ConnectionString};Search Path=public")
                .ScanIn(typeof(Migrator).Assembly).For.Migrations())
            .BuildServiceProvider();
        using var scope = services.CreateScope();
        run(scope.ServiceProvider.GetRequiredService<IMigrationRunner>());
    }
}
