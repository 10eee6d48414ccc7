using Messaging.Api.Configuration;
using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class ConfigCheckTests
{
    [Test]
    public void Two_nodes_fit_into_what_PostgreSQL_has_by_default_and_leave_room_for_tools()
    {
        // However many cores this machine has.
        var node = ConnectionStrings.OfANode("Host=db", "Host=db").Sum(pool => pool.For == "queries" ? 6 : pool.Connections);

        Assert.That(2 * node, Is.LessThanOrEqualTo(97 - 10));
    }

    [Test]
    public async Task The_check_says_how_many_connections_a_node_takes_and_how_many_nodes_fit()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var (code, output) = await CheckAsync(database.ConnectionString + ";Maximum Pool Size=30");
        Assert.That(
            output,
            Does.Match(
                @"The configuration can be used\.\nA node takes up to \d+ connections: "
                + "30 for commands, 30 for changes of conversations, 30 for queries, "));
        Assert.That(output,
            Does.Match(@"PostgreSQL gives this role \d+ \(max_connections is \d+\): room for \d+ nodes?, and \d+ left for tools\."));
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task A_server_without_room_for_one_node_is_an_error_that_says_how_many_are_missing()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        await using (var limit = database.DataSource.CreateCommand(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} CONNECTION LIMIT 20"))
            await limit.ExecuteNonQueryAsync();
        var (code, output) = await CheckAsync(database.ConnectionString);
        Assert.That(output,
            Does.Contain("PostgreSQL gives this role 20 ").And.Contains("room for 0 nodes").And.Contains("raise max_connections by "));
        Assert.That(code, Is.EqualTo(1));
    }

    [Test]
    public async Task Without_the_server_it_checks_what_it_can()
    {
        var (code, output) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging;Password=s3cr3t");
        Assert.That(output, Does.Contain("The configuration can be used.").And.Contains("could not be asked").And.Not.Contains("s3cr3t"));
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task Every_error_is_named_as_at_start()
    {
        var (code, output) = await CheckAsync("Host", ("Messaging__Limits__TextLength", "none"));
        Assert.That(output, Does.Contain("ConnectionStrings__Messaging:").And.Contains("Messaging__Limits__TextLength:"));
        Assert.That(code, Is.EqualTo(1));
    }

    [TestCase("Messaging__Policies__DirectMessages")]
    [TestCase("Messaging__Limits__TextLength")]
    [TestCase("Messaging__Storage__PublicUrl")]
    [TestCase("Messaging__Accounts__Enabled")]
    public async Task An_empty_setting_is_not_set(string name)
    {
        var (code, output) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", (name, ""));
        Assert.That(output, Does.Contain("The configuration can be used."));
        Assert.That(code, Is.Zero);
    }

    [Test]
    public async Task A_way_down_that_is_too_long_is_an_error()
    {
        var (code, output) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", ("Messaging__Shutdown__Delay", "00:00:05"));
        Assert.That(output, Does.Contain("Messaging__Shutdown__Delay: with DrainTimeout and StopTimeout at most 00:00:19 is expected"));
        Assert.That(code, Is.EqualTo(1));
    }

    [TestCase("Messaging__Policy__DirectMessages", "contacts")]
    [TestCase("Messaging__RateLimit__Enabled", "false")]
    [TestCase("Messaging__Proxy__0", "10.0.0.0/8")]
    [TestCase("Messaging__DirectMessages", "contacts")]
    public async Task A_name_that_is_no_sections_is_an_error(string name, string value)
    {
        var (code, output) = await CheckAsync("Host=127.0.0.1;Port=1;Database=messaging", (name, value));
        Assert.That(output, Does.Contain($"{name}: there is no such setting; below Messaging__ there are Accounts, Auth, Bus, Cors, "));
        Assert.That(code, Is.EqualTo(1));
    }

    [TestCase("Username", "nobody", "ConnectionStrings__Messaging: PostgreSQL refuses it: ")]
    [TestCase("Password", "wr0ng", "ConnectionStrings__Messaging: PostgreSQL refuses it: ")]
    [TestCase("Database", "no_such", "ConnectionStrings__Messaging: PostgreSQL refuses it: database \"no_such\" does not exist.")]
    public async Task A_server_that_refuses_is_an_error_that_says_so(string part, string value, string expected)
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var refused = new NpgsqlConnectionStringBuilder(database.ConnectionString) { [part] = value };
        var (code, output) = await CheckAsync(refused.ConnectionString);
        Assert.That(output, Does.Contain(expected).And.Not.Contain("wr0ng"));
        Assert.That(code, Is.EqualTo(1));
    }

    [Test]
    public async Task Either_connection_may_be_the_one_that_is_refused()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var refused = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "no_such" }.ConnectionString;
        var (_, main) = await CheckAsync(refused, ("ConnectionStrings__MessagingDirect", database.ConnectionString));
        var (_, direct) = await CheckAsync(database.ConnectionString, ("ConnectionStrings__MessagingDirect", refused));
        Assert.That(main, Does.Contain("ConnectionStrings__Messaging: PostgreSQL refuses it"));
        Assert.That(direct, Does.Contain("ConnectionStrings__MessagingDirect: PostgreSQL refuses it"));
    }

    [Test]
    public async Task As_json_it_is_one_object()
    {
        var (_, output) = await CheckAsync(["--json"], "Host=127.0.0.1;Port=1;Database=messaging");
        var answer = System.Text.Json.JsonDocument.Parse(output).RootElement;
        Assert.That(answer.GetProperty("connectionsPerNode").GetInt32(), Is.Positive);
    }

    [Test]
    public async Task The_executable_answers_and_ends()
    {
        using var check = ServiceProcess.Run(["config", "check"], "Host", ("Messaging__Limits__TextLength", "none"));
        var (code, output, errors) = await check.EndAsync();
        Assert.That(output, Does.StartWith("The configuration cannot be used (2 to put right):"), errors);
        Assert.That(code, Is.EqualTo(1));
    }

    // In this process, where it costs no start.
    static async Task<(int ExitCode, string Output)> CheckAsync(
        string[] arguments, string connectionString, params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["ConnectionStrings:Messaging"] = connectionString,
            ["Messaging:Auth:Issuer"] = ApiHost.Issuer,
            ["Messaging:Auth:Audience"] = ApiHost.Audience,
            ["Messaging:Auth:Hs256Secret"] = ApiHost.Hs256Secret,
        });
        builder.Configuration.AddInMemoryCollection(
            settings.Select(one => KeyValuePair.Create(one.Name.Replace("__", ":", StringComparison.Ordinal), (string?)one.Value)));
        builder.Services.AddModules(builder.Environment);
        builder.Services.AddWorkers();
        await using var app = builder.Build();
        using var output = new StringWriter();
        return (await app.CheckConfigurationAsync(["config", "check", .. arguments], output), output.ToString());
    }

    static Task<(int ExitCode, string Output)> CheckAsync(string connectionString, params (string Name, string Value)[] settings) =>
        CheckAsync([], connectionString, settings);
}
