namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class SchemaVersionTests
{
    [Test]
    public async Task A_database_never_migrated_is_older_and_the_message_says_what_to_run()
    {
        var version = await CheckAsync(applied: new ScriptSet([]), known: Scripts.Sample);

        Assert.That(version.State, Is.EqualTo(SchemaState.Older));
        Assert.That(version.Message, Is.EqualTo("The database is at version 0, this release needs 202601030001: run `messaging-db up`."));
    }

    [Test]
    public async Task A_script_missing_below_the_newest_makes_it_older()
    {
        var version = await CheckAsync(applied: new ScriptSet([Scripts.People, Scripts.NameIndex]), known: Scripts.Sample);

        Assert.That(version.State, Is.EqualTo(SchemaState.Older));
    }

    [Test]
    public async Task All_scripts_applied_is_up_to_date()
    {
        var version = await CheckAsync(applied: Scripts.Sample, known: Scripts.Sample);

        Assert.That(version, Is.EqualTo(new SchemaVersion(
            SchemaState.UpToDate, 202601030001, 202601030001, "The database is at version 202601030001.")));
    }

    [Test]
    public async Task A_compatible_script_that_this_release_does_not_know_makes_it_newer()
    {
        var version = await CheckAsync(applied: new ScriptSet([.. Scripts.Sample, Scripts.Pets]), known: Scripts.Sample);

        Assert.That((version.State, version.Current, version.Known), Is.EqualTo((SchemaState.Newer, 202602010001L, 202601030001L)));
        Assert.That(version.Message, Does.EndWith("by scripts beside which this release runs: 202602010001 create_pets."));
    }

    [Test]
    public async Task A_breaking_one_is_named_alone_and_with_the_way_back()
    {
        var version = await CheckAsync(
            applied: new ScriptSet([.. Scripts.Sample, Scripts.Pets, Scripts.NoNicknames]), known: Scripts.Sample);

        Assert.That(version.State, Is.EqualTo(SchemaState.Broken));
        Assert.That(version.Message, Does.StartWith("The database is migrated by 202602010002 drop_nicknames, which breaks this release"));
        Assert.That(version.Message, Does.Contain("messaging-db down --to 202601030001"));
    }

    [Test]
    public async Task A_script_that_says_nothing_is_breaking()
    {
        var version = await CheckAsync(applied: Scripts.Sample, known: new ScriptSet([Scripts.People, Scripts.Nicknames]));

        Assert.That(version.State, Is.EqualTo(SchemaState.Broken));
    }

    [Test]
    public async Task A_script_missing_beside_newer_ones_makes_it_older()
    {
        var version = await CheckAsync(applied: new ScriptSet([Scripts.People, Scripts.Pets]), known: Scripts.Sample);

        Assert.That(version.State, Is.EqualTo(SchemaState.Older));
    }

    static async Task<SchemaVersion> CheckAsync(ScriptSet applied, ScriptSet known)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        if (applied.Count > 0)
            await database.Migrator(applied).UpAsync();
        await using var connection = await database.OpenAsync();
        return await SchemaVersion.CheckAsync(connection, known);
    }
}
