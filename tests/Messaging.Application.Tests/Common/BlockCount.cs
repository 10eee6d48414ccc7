using Dapper;
using Npgsql;

namespace Messaging.Application.Tests.Common;

/// <summary>How many blocks of tables and their indexes were looked at.</summary>
internal static class BlockCount
{
    private const string CountSql =
        """
        SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint
        FROM pg_statio_user_tables
        WHERE relname = ANY(@Tables)
        """;

    // A server process hands its counts in when it has nothing to do.
    public static async Task<long> BlocksAsync(this NpgsqlConnection connection, params string[] tables)
    {
        await connection.ExecuteAsync("SELECT pg_stat_force_next_flush()");
        return await connection.QuerySingleAsync<long>(CountSql, new { Tables = tables });
    }
}
