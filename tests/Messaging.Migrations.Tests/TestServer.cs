using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>The server that the tests run on: MESSAGING_TEST_DATABASE, whose role is a superuser.</summary>
static class TestServer
{
    static string ConnectionString => Environment.GetEnvironmentVariable("MESSAGING_TEST_DATABASE")
        ?? throw new InvalidOperationException("Set MESSAGING_TEST_DATABASE to a PostgreSQL server, as a superuser.");

    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0");
        return new TestDatabase(name, new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, Pooling = false }.ConnectionString);
    }

    public static Task DropDatabaseAsync(string name) => ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    /// <summary>A role that owns one database and, unless it may create more, nothing else.</summary>
    public static async Task<TestOwner> CreateOwnerAsync(TestDatabase database, bool mayCreateDatabases = false)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD '{name}' {(mayCreateDatabases ? "CREATEDB" : "")}");
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
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
