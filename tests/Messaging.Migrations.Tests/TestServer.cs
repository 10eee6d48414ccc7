using Npgsql;

namespace Messaging.Migrations.Tests;

/// <summary>The server that the tests run on: MESSAGING_TEST_DATABASE, whose role may create databases.</summary>
static class TestServer
{
    static string ConnectionString => Environment.GetEnvironmentVariable("MESSAGING_TEST_DATABASE")
        ?? throw new InvalidOperationException("Set MESSAGING_TEST_DATABASE to a PostgreSQL server whose role may create databases.");

    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0");
        return new TestDatabase(name, new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, Pooling = false }.ConnectionString);
    }

    public static Task DropDatabaseAsync(string name) => ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
