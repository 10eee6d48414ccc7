namespace Messaging.Migrations.Tests;

/// <summary>What this release's tool does on a database that a newer release has migrated.</summary>
[Parallelizable(ParallelScope.All)]
sealed class NewerReleaseTests
{
    [Test]
    public async Task Status_shows_a_compatible_script_and_that_nothing_is_to_be_done()
    {
        await using var database = await MigratedByTheNextReleaseAsync(Scripts.Pets);

        var status = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "status");

        Assert.That(status.Output, Does.Contain("newer    202602010001 create_pets: compatible, this release runs beside it"));
        Assert.That(status.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Status_fails_at_a_breaking_script_and_names_it()
    {
        await using var database = await MigratedByTheNextReleaseAsync(Scripts.NoNicknames);

        var status = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "status");

        Assert.That(
            status.Output, Does.Contain("PROBLEM  202602010002 drop_nicknames is applied, but missing from these scripts, and breaks"));
        Assert.That(status.ExitCode, Is.EqualTo(1));
    }

    [Test]
    public async Task Verify_says_that_only_the_newer_release_can_compare()
    {
        await using var database = await MigratedByTheNextReleaseAsync(Scripts.Pets);

        var verification = await database.Migrator(Scripts.Sample).VerifyAsync();

        Assert.That(verification.Differences, Is.EqualTo((string[])
        [
            "202602010001 create_pets was applied by a newer release, beside which this one runs: " +
            "only that release's messaging-db can compare the schema",
        ]));
    }

    [Test]
    public async Task Up_has_nothing_to_do_beside_a_compatible_script()
    {
        await using var database = await MigratedByTheNextReleaseAsync(Scripts.Pets);

        Assert.That((await database.Migrator(Scripts.Sample).UpAsync()).Scripts, Is.Empty);
    }

    [Test]
    public async Task Nothing_is_applied_or_taken_back_in_the_middle_of_what_a_newer_release_applied()
    {
        await using var database = await MigratedByTheNextReleaseAsync(Scripts.Pets);
        var more = new ScriptSet([.. Scripts.Sample, Scripts.NoNicknames]);

        Assert.That(() => database.Migrator(more).UpAsync(), Throws.TypeOf<MigrationException>()
            .With.Message.EqualTo("A newer release applied 202602010001 create_pets: use its messaging-db."));
        Assert.That(() => database.Migrator(Scripts.Sample).DownAsync(0), Throws.TypeOf<MigrationException>());
    }

    [Test]
    public void A_mark_counts_at_the_end_of_a_description_and_is_no_part_of_the_name()
    {
        Assert.That((Scripts.Pets.Name, Scripts.Pets.IsCompatible), Is.EqualTo(("create_pets", true)));
        Assert.That((Scripts.NoNicknames.Name, Scripts.NoNicknames.IsCompatible), Is.EqualTo(("drop_nicknames", false)));
        Assert.That(Scripts.Made(1, "add_(compatible)_ones", "", "").IsCompatible, Is.False);
    }

    static async Task<TestDatabase> MigratedByTheNextReleaseAsync(Script script)
    {
        var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(new ScriptSet([.. Scripts.Sample, script])).UpAsync();
        return database;
    }
}
