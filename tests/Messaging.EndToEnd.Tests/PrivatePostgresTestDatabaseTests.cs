using Messaging.Testing;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

public sealed class PrivatePostgresTestDatabaseTests
{
    static int migrations;

    [Test]
    public async Task Database_is_a_copy_of_what_was_migrated_once()
    {
        await using var one = await TestDatabaseServer.CreateDatabaseAsync(MigrateAsync);
        await using var two = await TestDatabaseServer.CreateDatabaseAsync(MigrateAsync);

        await ExecuteAsync(one, "INSERT INTO rows VALUES (2)");

        Assert.That(await CountAsync(one), Is.EqualTo(2));
        Assert.That(await CountAsync(two), Is.EqualTo(1));
        Assert.That(migrations, Is.EqualTo(1));
    }

    [Test]
    public async Task Database_is_dropped_under_a_connection_that_was_left_open()
    {
        var database = await TestDatabaseServer.CreateDatabaseAsync(MigrateAsync);
        await using var left = new NpgsqlConnection(database.ConnectionString);
        await left.OpenAsync();

        await database.DisposeAsync();

        await using var late = new NpgsqlConnection(database.ConnectionString + ";Pooling=false");
        Assert.That(
            () => late.OpenAsync(),
            Throws.InstanceOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.InvalidCatalogName));
    }

    static async Task MigrateAsync(string connectionString)
    {
        Interlocked.Increment(ref migrations);
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand("CREATE TABLE rows AS SELECT 1 AS id");
        await command.ExecuteNonQueryAsync();
    }

    static async Task ExecuteAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    static async Task<object?> CountAsync(TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand("SELECT count(*) FROM rows");
        return await command.ExecuteScalarAsync();
    }
}
