using System.Security.Cryptography;
using Dapper;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>Begins a new epoch when the database is not the one that gave out the positions so far: restored, promoted, copied.</summary>
public static class FeedEpoch
{
    // Locks feed_state's row. The timeline in force, not the last checkpoint's: a promoted server knows it at once.
    private const string EnsureSql =
        """
        WITH here AS (
            SELECT concat_ws('/',
                (SELECT system_identifier FROM pg_control_system()),
                substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
                (SELECT oid FROM pg_database WHERE datname = current_database()),
                'feed_state'::regclass::oid) AS origin
        )
        UPDATE feed_state
        SET epoch = @Epoch, origin = here.origin
        FROM here
        WHERE feed_state.origin <> here.origin
        """;

    /// <summary>To be called before anything is moved to the feed, on the connection that moves; true when an epoch began.</summary>
    public static async Task<bool> EnsureAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition(
            EnsureSql, new { Epoch = (long)RandomNumberGenerator.GetInt32(1, int.MaxValue) }, cancellationToken: ct)) == 1;
}
