using System.Net;
using Messaging.Migrations;
using Messaging.Postgres;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

/// <summary>
/// The service as docker-compose.yml runs it: migrated by an owner who is no superuser, requests by a role that cannot change the schema.
/// </summary>
public sealed class RoleTests
{
    PrivatePostgres server = null!;
    string owner = null!;
    string requests = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        server = await PrivatePostgres.StartAsync(PrivatePostgresOptions.ThrowAway, CancellationToken.None);
        await MakeRolesAsync();
        (owner, requests) = (As("messaging_owner"), As("messaging"));
        await new Migrator(owner).UpAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await server.DisposeAsync();

    [Test]
    public async Task The_service_runs_and_sends()
    {
        using var service = ServiceProcess.Start(requests, ("ConnectionStrings__MessagingDirect", owner));
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);

        Assert.That(await service.SendAsync(), Is.EqualTo(HttpStatusCode.Created));
        using var search = await service.Client.GetAsync("/v1/search/messages?q=hello");
        Assert.That(search.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase("CREATE TABLE mine (id int)")]
    [TestCase("ALTER TABLE messages ADD COLUMN mine int")]
    [TestCase("DROP TABLE users CASCADE")]
    [TestCase("TRUNCATE users CASCADE")]
    public async Task Requests_cannot_change_the_schema(string sql)
    {
        await using var source = NpgsqlDataSource.Create(requests);
        await using var command = source.CreateCommand(sql);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.That(refusal!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege));
    }

    // psql's own commands are done by hand here.
    async Task MakeRolesAsync()
    {
        var lines = (await File.ReadAllTextAsync(Repository.File("db/roles.sql")))
            .Replace(":'owner_password'", "'secret'", StringComparison.Ordinal).Replace(":'password'", "'secret'", StringComparison.Ordinal)
            .Split('\n');
        var connect = Array.IndexOf(lines, "\\connect messaging");
        // The server comes with a database and a role of these names.
        await RunAsync(server.AdminConnectionString, ["DROP DATABASE messaging", "DROP ROLE messaging", .. lines[..connect]]);
        await RunAsync(As(user: null), lines[(connect + 1)..]);
    }

    static async Task RunAsync(string connectionString, string[] lines)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        foreach (var statement in lines.Where(line => line.Length > 0 && line[0] is not ('\\' or '-')))
        {
            await using var command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    string As(string? user)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Pooling = false, Database = "messaging" };
        if (user is not null)
            (settings.Username, settings.Password) = (user, "secret");
        return settings.ConnectionString;
    }
}
