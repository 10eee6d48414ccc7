namespace Messaging.Migrations.Tests;

/// <summary>What holds for the real scripts, whichever they are.</summary>
sealed class ReleaseScriptsTests
{
    [Test]
    public async Task They_go_up_down_to_0_and_up_again_to_a_schema_that_verifies()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var migrator = new Migrator(database.ConnectionString);

        await migrator.UpAsync();
        await migrator.DownAsync(0);
        var again = await migrator.UpAsync();

        Assert.That(again.Scripts, Has.Count.EqualTo(ScriptSet.OfThisRelease.Count));
        Assert.That((await migrator.VerifyAsync()).Differences, Is.Empty);
    }

    [TestCaseSource(nameof(ReleaseScripts))]
    public async Task Each_down_takes_back_exactly_its_up(Script script)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var migrator = new Migrator(database.ConnectionString);
        var before = ScriptSet.OfThisRelease.Select(one => one.Version).LastOrDefault(version => version < script.Version);
        await migrator.UpAsync(script.Version);

        await migrator.DownAsync(before);

        Assert.That((await migrator.VerifyAsync()).Differences, Is.Empty);
    }

    [Test]
    public async Task Everybody_being_let_post_is_a_difference()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var migrator = new Migrator(database.ConnectionString);
        await migrator.UpAsync();

        await database.ExecuteAsync("GRANT EXECUTE ON FUNCTION messaging.post TO PUBLIC");

        Assert.That((await migrator.VerifyAsync()).Differences, Has.One.Items.And.Some.Contains("EXECUTE FOR PUBLIC"));
    }

    // A role that is called messaging finds what is there first.
    [Test]
    public async Task Nothing_for_hosts_has_the_name_of_a_table()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await new Migrator(database.ConnectionString).UpAsync();

        Assert.That(
            await database.LinesAsync(
                """
                SELECT relname
                FROM pg_class
                WHERE relnamespace = 'messaging'::regnamespace AND to_regclass('public.' || relname) IS NOT NULL
                """),
            Is.Empty);
    }

    // Those before were made when no release started beside a newer script.
    [Test]
    public void Every_script_says_whether_it_breaks_the_release_before_it() => Assert.That(
        ScriptSet.OfThisRelease.Where(script => script.Version > 202611280000).Select(script => script.Description),
        Has.All.EndsWith(" (compatible)").Or.EndsWith(" (breaking)"));

    static IEnumerable<TestCaseData<Script>> ReleaseScripts() =>
        ScriptSet.OfThisRelease.Select(script => new TestCaseData<Script>(script).SetArgDisplayNames(script.ToString()));
}
