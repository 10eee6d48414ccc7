using System.Text.Json.Nodes;
using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>Every verb in a process of its own, by its exit code.</summary>
[Parallelizable(ParallelScope.All)]
sealed class CommandLineTests
{
    [Test]
    public async Task Each_verb_ends_with_0_when_it_is_done()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        using var scripts = new ScriptFolder(Scripts.Sample);

        string[][] verbs = [["plan"], ["up"], ["status"], ["verify"], ["down", "--to", "0"]];
        foreach (var verb in verbs)
        {
            var result = await Tool.RunAsync(database.ConnectionString, [.. verb, "--scripts", scripts.Path]);
            Assert.That(result.ExitCode, Is.Zero, $"{verb[0]}: {result}");
        }
    }

    [TestCase("status")]
    [TestCase("verify")]
    public async Task Waiting_scripts_end_with_3(string verb)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        using var scripts = new ScriptFolder(Scripts.Sample);
        await Tool.RunAsync(database.ConnectionString, "up", "--to", "202601010001", "--scripts", scripts.Path);

        var result = await Tool.RunAsync(database.ConnectionString, verb, "--scripts", scripts.Path);

        Assert.That(result, Has.Property("ExitCode").EqualTo(3).And.Property("Output").Contains("waiting  202601020001 add_nicknames"));
    }

    [TestCase("up")]
    [TestCase("down", "--to", "0")]
    [TestCase("status")]
    [TestCase("plan")]
    [TestCase("verify")]
    public async Task A_changed_script_ends_with_1_and_is_named(params string[] verb)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync();
        using var scripts = new ScriptFolder(Scripts.People with { Up = "SELECT 1" }, Scripts.Nicknames, Scripts.NameIndex);

        var result = await Tool.RunAsync(database.ConnectionString, [.. verb, "--scripts", scripts.Path]);

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Output + result.Errors, Does.Contain("202601010001 create_people was changed after it was applied"));
    }

    [Test]
    public async Task A_different_schema_ends_with_1()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        using var scripts = new ScriptFolder(Scripts.Sample);
        await Tool.RunAsync(database.ConnectionString, "up", "--scripts", scripts.Path);
        await database.ExecuteAsync("ALTER TABLE people DROP COLUMN nickname");

        var result = await Tool.RunAsync(database.ConnectionString, "verify", "--scripts", scripts.Path);

        Assert.That(result, Has.Property("ExitCode").EqualTo(1).And.Property("Output").Contains("column people.nickname is missing"));
    }

    [TestCase]
    [TestCase("sideways")]
    [TestCase("down")]
    [TestCase("down", "--to", "everything")]
    [TestCase("up", "--to", "2026")]
    [TestCase("up", "--to")]
    [TestCase("up", "now")]
    [TestCase("status", "--to", "0")]
    [TestCase("up", "--lock-timeout", "soon")]
    [TestCase("up", "--scripts", "/no/such/folder")]
    [TestCase("create")]
    [TestCase("create", "Add Nicknames")]
    public async Task Wrong_use_ends_with_2_and_points_to_help(params string[] arguments)
    {
        var result = await Tool.RunAsync("Host=127.0.0.1;Port=1", arguments);

        Assert.That(result, Has.Property("ExitCode").EqualTo(2).And.Property("Errors").EndsWith("`messaging-db help` shows how."));
    }

    [Test]
    public async Task No_connection_is_wrong_use() =>
        Assert.That((await Tool.RunAsync(null, "status")).ExitCode, Is.EqualTo(2));

    [TestCase("postgres://ada:hush-hush@localhost/db?sslmode=require", 2)]
    [TestCase("Host=localhost;Port=hush-hush", 2)]
    [TestCase("Host=127.0.0.1;Port=1;Username=ada;Password=hush-hush", 1)]
    public async Task A_connection_that_fails_is_one_line_without_its_secrets(string connection, int exitCode)
    {
        var result = await Tool.RunAsync(null, "up", "--connection", connection);

        Assert.That(result, Has.Property("ExitCode").EqualTo(exitCode));
        Assert.That(result.Output + result.Errors, Does.Not.Contain("hush-hush").And.Not.Contain('\n'));
        Assert.That(result.Errors, Does.Contain("onnect"));
    }

    [Test]
    public async Task The_direct_connection_is_taken_before_the_pooled_one()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        var other = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "no_such_database" }.ConnectionString;

        var pooled = await Tool.RunAsync(other, "status");
        var given = await Tool.RunAsync(other, "up", "--connection", database.ConnectionString);

        Assert.That(pooled, Has.Property("ExitCode").EqualTo(1).And.Property("Errors").Contains("no_such_database"));
        Assert.That(given.ExitCode, Is.Zero, given.Errors);
    }

    [Test]
    public async Task Json_is_one_object_on_standard_output_and_progress_goes_to_standard_error()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        using var scripts = new ScriptFolder(Scripts.Sample);

        var up = await Tool.RunAsync(database.ConnectionString, "up", "--json", "--scripts", scripts.Path);
        var status = await Tool.RunAsync(database.ConnectionString, "status", "--json", "--scripts", scripts.Path);

        Assert.That((long?)JsonNode.Parse(up.Output)!["scripts"]![2]!["version"], Is.EqualTo(202601030001));
        Assert.That(up.Errors, Does.Contain("202601010001 create_people: applied in "));
        Assert.That(JsonNode.Parse(status.Output)!["waiting"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Json_tells_a_failure_too()
    {
        var result = await Tool.RunAsync("Host=127.0.0.1;Port=1;Username=ada", "up", "--json");

        Assert.That(JsonNode.Parse(result.Output)!.ToJsonString(), Does.StartWith("{\"exitCode\":1,\"error\":\"Cannot connect"));
    }

    [Test]
    public async Task Create_writes_the_next_pair()
    {
        using var scripts = new ScriptFolder(new Script(999912310007, "last", "", ""));

        var result = await Tool.RunAsync(null, "create", "add_nicknames", "--scripts", scripts.Path);

        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(Directory.EnumerateFiles(scripts.Path, "*nicknames*").Select(Path.GetFileName), Is.EquivalentTo(
            (string[])["999912310008_add_nicknames.up.sql", "999912310008_add_nicknames.down.sql"]));
    }
}
