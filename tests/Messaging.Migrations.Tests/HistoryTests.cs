namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class HistoryTests
{
    const string VersionInfoSql = """
        SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'VersionInfo'
        ORDER BY ordinal_position
        """;

    const string IndexesSql = """
        SELECT indexdef
        FROM pg_indexes
        WHERE tablename = 'VersionInfo'
        """;

    [Test]
    public async Task VersionInfo_is_FluentMigrators_to_the_letter()
    {
        await using var database = await TestServer.CreateDatabaseAsync();

        await database.Migrator(Scripts.Sample).UpAsync(0);

        Assert.That(await database.LinesAsync(VersionInfoSql), Is.EqualTo((string[])
            ["Version|bigint||NO|", "AppliedOn|timestamp without time zone||YES|", "Description|character varying|1024|YES|"]));
        Assert.That(await database.LinesAsync(IndexesSql), Is.EqualTo((string[])
            ["CREATE UNIQUE INDEX \"UC_Version\" ON public.\"VersionInfo\" USING btree (\"Version\")"]));
    }

    [Test]
    public async Task A_script_that_FluentMigrator_applied_is_accepted()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await ApplyAsFluentMigratorAsync(database, Scripts.People);

        var run = await database.Migrator(Scripts.Sample).UpAsync(Scripts.Nicknames.Version);

        Assert.That(run.Scripts.Select(script => script.Version), Is.EqualTo((long[])[Scripts.Nicknames.Version]));
    }

    [Test]
    public async Task An_applied_script_that_is_missing_is_an_error_that_names_it()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.Nicknames.Version);
        var fewer = new ScriptSet([Scripts.People, Scripts.NameIndex]);

        Assert.That(() => database.Migrator(fewer).UpAsync(), Throws.TypeOf<MigrationException>()
            .With.Message.StartsWith("202601020001 add_nicknames is applied, but missing from these scripts"));
        Assert.That(() => database.Migrator(fewer).DownAsync(0), Throws.TypeOf<MigrationException>());
    }

    static async Task ApplyAsFluentMigratorAsync(TestDatabase database, Script script) => await database.ExecuteAsync($"""
        CREATE TABLE "public"."VersionInfo" ("Version" bigint NOT NULL);
        CREATE UNIQUE INDEX "UC_Version" ON "public"."VersionInfo" ("Version" ASC);
        ALTER TABLE "public"."VersionInfo" ADD "AppliedOn" timestamp, ADD "Description" varchar(1024);
        {script.Up[0]}
        INSERT INTO "public"."VersionInfo" ("Version", "AppliedOn", "Description") VALUES ({script.Version}, now(), '{script.Name}');
        """);
}
