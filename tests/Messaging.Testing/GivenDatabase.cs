using Npgsql;
using Respawn;
using Respawn.Graph;

namespace Messaging.Testing;

/// <summary>
/// The database of a server whose role may create no others: handed to one at a time, and emptied of what the last one left.
/// </summary>
public sealed class GivenDatabase : IDisposable
{
    // Emptied, migrations would run again, and the service would lose its place in the feed.
    static readonly Table[] Kept = ["VersionInfo", "feed_state", "leases"];

    // As long as the longest fixture. Whoever needs two at once waits in vain.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    readonly string connectionString;
    readonly SemaphoreSlim turn = new(1);
    Func<string, Task>? migrated;

    GivenDatabase(string connectionString) => this.connectionString = connectionString;

    /// <summary>Null where the role may create databases, so that everyone gets one of their own.</summary>
    /// <exception cref="InvalidOperationException">The database does not look like one that tests may empty.</exception>
    public static async Task<GivenDatabase?> FindAsync(string connectionString)
    {
        await using var connection = await OpenAsync(connectionString);
        const string sql = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user";
        await using var command = new NpgsqlCommand(sql, connection);
        if (await command.ExecuteScalarAsync() is true)
            return null;
        return connection.Database.Contains("test", StringComparison.OrdinalIgnoreCase)
            ? new(connectionString)
            : throw new InvalidOperationException(
                $"The role of {TestDatabaseServer.Variable} may create no databases, and '{connection.Database}' does not look like one "
                + "that tests may empty: give the role CREATEDB, or name a database of its own with 'test' in its name.");
    }

    /// <summary>The database as <paramref name="migrate"/> makes it, or without it an empty one, until it is disposed of.</summary>
    public async Task<TestDatabase> TakeAsync(Func<string, Task>? migrate)
    {
        if (!await turn.WaitAsync(Patience))
        {
            throw new TimeoutException(
                $"A test needs two databases at once: for that the role of {TestDatabaseServer.Variable} needs CREATEDB.");
        }
        try
        {
            await CleanAsync(migrate);
            return new(connectionString, GiveBackAsync);
        }
        catch
        {
            turn.Release();
            throw;
        }
    }

    public void Dispose() => turn.Dispose();

    Task GiveBackAsync()
    {
        turn.Release();
        return Task.CompletedTask;
    }

    async Task CleanAsync(Func<string, Task>? migrate)
    {
        await using var connection = await OpenAsync(connectionString);
        if (migrate is not null && migrate == migrated)
        {
            var options = new RespawnerOptions { DbAdapter = DbAdapter.Postgres, SchemasToInclude = ["public"], TablesToIgnore = Kept };
            await (await Respawner.CreateAsync(connection, options)).ResetAsync(connection);
            return;
        }

        migrated = null;
        await using var command = new NpgsqlCommand(
            "DROP SCHEMA IF EXISTS messaging CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public", connection);
        await command.ExecuteNonQueryAsync();
        // Connections that were kept know types that are gone.
        NpgsqlConnection.ClearAllPools();
        if (migrate is not null)
            await migrate(connectionString);
        migrated = migrate;
    }

    static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
