namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class UpAndDownTests
{
    const string VersionsSql = """
        SELECT "Version", "Description"
        FROM "VersionInfo"
        ORDER BY "Version"
        """;

    const string TablesSql = """
        SELECT relname
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        ORDER BY relname
        """;

    [Test]
    public async Task Up_applies_every_script_in_order_and_records_it()
    {
        await using var database = await TestServer.CreateDatabaseAsync();

        await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(await database.LinesAsync(VersionsSql), Is.EqualTo((string[])
            ["202601010001|create_people", "202601020001|add_nicknames", "202601030001|index_people_names"]));
        Assert.That(await database.ScalarAsync<string>("SELECT greet('you')"), Is.EqualTo("hello; you"));
    }

    [Test]
    public async Task Up_stops_at_the_version_asked_for()
    {
        await using var database = await TestServer.CreateDatabaseAsync();

        var run = await database.Migrator(Scripts.Sample).UpAsync(Scripts.People.Version);

        Assert.That(run.Scripts.Select(script => script.Name), Is.EqualTo((string[])["create_people"]));
    }

    [Test]
    public async Task Up_again_runs_nothing()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();

        var run = await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(run.Scripts, Is.Empty);
    }

    [Test]
    public async Task Down_takes_back_the_newer_scripts_and_keeps_the_older_ones_data()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();
        await database.ExecuteAsync("INSERT INTO people (id, name, nickname) VALUES (1, 'Ada', 'A')");

        await database.Migrator(Scripts.Sample).DownAsync(Scripts.People.Version);
        await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(await database.LinesAsync("SELECT id, name, nickname IS NULL FROM people"), Is.EqualTo((string[])["1|Ada|True"]));
    }

    [Test]
    public async Task Down_to_0_leaves_only_the_ledger()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();

        await database.Migrator(Scripts.Sample).DownAsync(0);

        Assert.That(await database.LinesAsync(TablesSql), Is.EqualTo((string[])["VersionInfo"]));
        Assert.That(await database.LinesAsync(VersionsSql), Is.Empty);
    }

    [Test]
    public async Task A_version_of_no_script_is_refused_before_anything_is_dropped()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(() => database.Migrator(Scripts.Sample).DownAsync(2026), Throws.TypeOf<MigrationException>());
        Assert.That(await database.LinesAsync(VersionsSql), Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_script_that_fails_leaves_nothing_behind_and_is_named()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var broken = Scripts.Made(202601020001, "broken", "CREATE TABLE a (id int); CREATE TABLE b (id nothing);", "");
        var migrator = database.Migrator(new ScriptSet([Scripts.People, broken]));

        Assert.That(() => migrator.UpAsync(), Throws.TypeOf<MigrationException>()
            .With.Message.EqualTo("202601020001 broken failed: type \"nothing\" does not exist (42704)"));
        Assert.That(await database.LinesAsync(TablesSql), Does.Contain("people").And.Not.Contain("a"));
    }

    [Test]
    public async Task A_script_whose_record_fails_is_taken_back_with_it()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var recordsItself = Scripts.Made(
            202601020001, "records_itself",
            """
            CREATE TABLE nicknames (id int);
            INSERT INTO "VersionInfo" ("Version") VALUES (202601020001);
            """,
            "");

        Assert.That(() => database.Migrator(new ScriptSet([Scripts.People, recordsItself])).UpAsync(), Throws.TypeOf<MigrationException>());
        Assert.That(await database.LinesAsync(TablesSql), Does.Not.Contain("nicknames"));
    }

    [Test]
    public async Task A_script_older_than_the_newest_applied_one_still_runs()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(new ScriptSet([Scripts.People, Scripts.NameIndex])).UpAsync();

        var run = await database.Migrator(Scripts.Sample).UpAsync();

        Assert.That(run.Scripts.Select(script => script.Name), Is.EqualTo((string[])["add_nicknames"]));
    }
}
