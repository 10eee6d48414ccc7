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

        string[][] verbs = [["plan"], ["up"], ["status"], ["verify"], ["down", "--to", "0"]];
        foreach (var verb in verbs)
        {
            var result = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, verb);
            Assert.That(result.ExitCode, Is.Zero, $"{verb[0]}: {result}");
        }
    }

    [TestCase("status")]
    [TestCase("verify")]
    public async Task Waiting_scripts_end_with_3(string verb)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "up", "--to", "202601010001");

        var result = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, verb);

        Assert.That(result, Has.Property("ExitCode").EqualTo(3).And.Property("Output").Contains("waiting  202601020001 add_nicknames"));
    }

    [Test]
    public async Task A_different_schema_ends_with_1()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "up");
        await database.ExecuteAsync("ALTER TABLE people DROP COLUMN nickname");

        var result = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "verify");

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
    [TestCase("up", "--scripts", "db/migrations")]
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

        var up = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "up", "--json");
        var status = await Tool.RunAsync(database.ConnectionString, Scripts.Sample, "status", "--json");

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
    public async Task Create_writes_the_next_migration_of_the_repository_that_it_runs_in()
    {
        var repository = Directory.CreateTempSubdirectory("a repository ");
        var migrations = repository.CreateSubdirectory("db/Messaging.Migrations/Migrations").FullName;
        await File.WriteAllTextAsync(Path.Combine(migrations, "M999912310007_Last.cs"), "");
        using var create = Tool.Start(null, repository.CreateSubdirectory("src").FullName, "create", "add_nicknames");

        var result = await create.EndAsync();

        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(migrations, "M999912310008_AddNicknames.cs")), Does.Contain(
            "[Migration(999912310008, \"add_nicknames (breaking)\")]\npublic sealed class AddNicknames : Migration"));
        repository.Delete(recursive: true);
    }

    [TestCase("add_nicknames")]
    [TestCase("add__nicknames")]
    public async Task Create_refuses_a_name_whose_class_is_there_already(string name)
    {
        var repository = Directory.CreateTempSubdirectory();
        var migrations = repository.CreateSubdirectory("db/Messaging.Migrations/Migrations").FullName;
        await File.WriteAllTextAsync(Path.Combine(migrations, "M202601010001_AddNicknames.cs"), "");
        using var create = Tool.Start(null, repository.FullName, "create", name);

        var result = await create.EndAsync();

        Assert.That(result, Has.Property("ExitCode").EqualTo(2).And.Property("Errors").Contains("M202601010001_AddNicknames.cs"));
        Assert.That(Directory.GetFiles(migrations), Has.Length.EqualTo(1));
        repository.Delete(recursive: true);
    }
}
