using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class ConfigCheckTests
{
    [Test]
    public void Two_nodes_fit_into_what_PostgreSQL_has_by_default_and_leave_room_for_tools()
    {
        var node = ConnectionStrings.OfANode("Host=db", "Host=db").Sum(pool => pool.Connections);

        Assert.That(2 * node, Is.LessThanOrEqualTo(97 - 10));
    }

    [Test]
    public async Task It_says_how_many_a_node_takes_and_how_many_nodes_the_server_has_room_for()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var (code, output, _) = await CheckAsync(database.ConnectionString + ";Maximum Pool Size=30");
        Assert.That(output, Does.Match(@"The configuration can be used\.\nA node takes up to \d+ connections: 30 for commands, 30 for queries, "));
        Assert.That(output, Does.Match(@"PostgreSQL gives this role \d+ \(max_connections is \d+\): room for \d+ nodes?, and \d+ left for tools\."));
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task A_server_without_room_for_one_node_is_an_error_that_says_how_many_are_missing()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        await using (var limit = database.DataSource.CreateCommand(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} CONNECTION LIMIT 20"))
            await limit.ExecuteNonQueryAsync();
        var (code, output, _) = await CheckAsync(database.ConnectionString);
        Assert.That(output, Does.Contain("PostgreSQL gives this role 20 ").And.Contains("room for 0 nodes").And.Contains("raise max_connections by "));
        Assert.That(code, Is.EqualTo(1));
    }

    [Test]
    public async Task Without_the_server_it_checks_what_it_can()
    {
        var (code, output, _) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging;Password=s3cr3t");
        Assert.That(output, Does.Contain("The configuration can be used.").And.Contains("could not be asked").And.Not.Contains("s3cr3t"));
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task Every_error_is_named_as_at_start()
    {
        var (code, output, _) = await CheckAsync("Host", ("Messaging__Limits__TextLength", "none"));
        Assert.That(output, Does.Contain("ConnectionStrings__Messaging:").And.Contains("Messaging__Limits__TextLength:"));
        Assert.That(code, Is.EqualTo(1));
    }

    [TestCase("Messaging__Policies__DirectMessages")]
    [TestCase("Messaging__Limits__TextLength")]
    [TestCase("Messaging__Storage__PublicUrl")]
    [TestCase("Messaging__Accounts__Enabled")]
    public async Task An_empty_setting_is_not_set(string name)
    {
        var (code, output, errors) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", (name, ""));
        Assert.That(output, Does.Contain("The configuration can be used."), errors);
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task A_way_down_that_is_too_long_is_an_error()
    {
        var (code, output, _) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", ("Messaging__Shutdown__Delay", "00:00:05"));
        Assert.That(output, Does.Contain("Messaging__Shutdown__Delay: with DrainTimeout and StopTimeout at most 00:00:19 is expected"));
        Assert.That(code, Is.EqualTo(1));
    }

    [Test]
    public async Task As_json_it_is_one_object()
    {
        var (_, output, _) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", asJson: true);
        var answer = System.Text.Json.JsonDocument.Parse(output).RootElement;
        Assert.That(answer.GetProperty("connectionsPerNode").GetInt32(), Is.Positive);
    }

    static Task<(int ExitCode, string Output, string Errors)> CheckAsync(string connectionString, params (string Name, string Value)[] environment) =>
        CheckAsync(connectionString, asJson: false, environment);

    static async Task<(int ExitCode, string Output, string Errors)> CheckAsync(
        string connectionString, bool asJson, params (string Name, string Value)[] environment)
    {
        using var check = ServiceProcess.Run(asJson ? ["config", "check", "--json"] : ["config", "check"], connectionString, environment);
        return await check.EndAsync();
    }
}
