using Messaging.Testing;
using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>
/// The server that the tests run on: MESSAGING_TEST_DATABASE, whose role may create databases, else one of their own that
/// ends with them.
/// </summary>
[SetUpFixture]
sealed class TestServer
{
    static OwnServer? own;

    static string? connectionString;

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        connectionString = Environment.GetEnvironmentVariable("MESSAGING_TEST_DATABASE");
        if (!string.IsNullOrEmpty(connectionString))
            return;

        own = await OwnServer.StartAsync();
        connectionString = own.AdminConnectionString;
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        if (own is not null)
            await own.DisposeAsync();
    }

    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0");
        return new TestDatabase(
            name, new NpgsqlConnectionStringBuilder(connectionString) { Database = name, Pooling = false }.ConnectionString);
    }

    // Not WITH (FORCE): that asks for the right to end an autovacuum too, which the plain form waits for.
    public static async Task DropDatabaseAsync(string name)
    {
        await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'");
        await ExecuteAsync($"DROP DATABASE IF EXISTS {name}");
    }

    /// <summary>
    /// A role that owns one database and, unless it may create more, nothing else. The server's own role needs CREATEROLE.
    /// </summary>
    public static async Task<TestOwner> CreateOwnerAsync(TestDatabase database, bool mayCreateDatabases = false)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD '{name}' {(mayCreateDatabases ? "CREATEDB" : "")}");
        // Who is no superuser gives a database only to a role that they are in.
        await ExecuteAsync($"GRANT {name} TO CURRENT_USER");
        await database.ExecuteAsync($"ALTER DATABASE {database.Name} OWNER TO {name}");
        await database.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}");
        return new TestOwner(name, database, new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = name, Password = name,
        }.ConnectionString);
    }

    public static Task DropRoleAsync(string name) => ExecuteAsync($"DROP ROLE {name}");

    static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
