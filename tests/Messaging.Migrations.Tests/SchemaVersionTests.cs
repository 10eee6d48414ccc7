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
    public async Task A_script_that_this_release_does_not_know_makes_it_newer()
    {
        var version = await CheckAsync(applied: Scripts.Sample, known: new ScriptSet([Scripts.People, Scripts.Nicknames]));

        Assert.That((version.State, version.Current, version.Known), Is.EqualTo((SchemaState.Newer, 202601030001L, 202601020001L)));
        Assert.That(version.Message, Does.Contain("messaging-db down --to 202601020001"));
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
