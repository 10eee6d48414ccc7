using Dapper;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>How many connections a role may have on its server, all nodes and tools together.</summary>
/// <param name="MaxConnections">The server's <c>max_connections</c>.</param>
/// <param name="Available">What is left of them for a role that is no superuser, or the limit of the database or the role where that is
/// less.</param>
public sealed record ConnectionCapacity(int MaxConnections, int Available)
{
    private const string RoomSql =
        """
        SELECT current_setting('max_connections')::int AS max_connections,
            least(
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                    - coalesce(current_setting('reserved_connections', true)::int, 0),
                (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
                (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)) AS available
        """;

    /// <summary>Asks the server.</summary>
    public static async Task<ConnectionCapacity> AskAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5, CommandTimeout = 5 }.ConnectionString);
        await connection.OpenAsync(ct);
        return await connection.QuerySingleAsync<ConnectionCapacity>(new CommandDefinition(RoomSql, cancellationToken: ct));
    }
}
