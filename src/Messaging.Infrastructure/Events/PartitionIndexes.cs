using System.Data;
using Dapper;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Builds the indexes that a script made on a partitioned table alone, on each partition that was there before: no script knows their
/// names, and what is built concurrently makes nobody wait.
/// </summary>
public sealed class PartitionIndexes(DirectDataSource database, ILogger<PartitionIndexes> logger)
{
    // The newest month first: it is asked for most.
    private const string MissingSql =
        """
        SELECT parent.relname::text AS parent, child.relname::text AS partition, pg_get_indexdef(i.indexrelid) AS definition
        FROM pg_index i
        JOIN pg_class parent ON parent.oid = i.indexrelid
        JOIN pg_inherits t ON t.inhparent = i.indrelid
        JOIN pg_class child ON child.oid = t.inhrelid
        WHERE parent.relnamespace = 'public'::regnamespace AND parent.relkind = 'I' AND NOT EXISTS (
            SELECT FROM pg_inherits attached
            JOIN pg_index part ON part.indexrelid = attached.inhrelid
            WHERE attached.inhparent = i.indexrelid AND part.indrelid = t.inhrelid)
        ORDER BY child.relname DESC, parent.relname
        """;

    // One node builds, however long it takes: another would take down what it finds unfinished. Not waited for: a statement that waits
    // holds a snapshot, which the build would wait for in turn. Ends with the session, also of a node that was killed.
    private const string LockSql = "SELECT pg_try_advisory_lock(hashtextextended('messaging:partition-indexes', 0))";
    private const string UnlockSql = "SELECT pg_advisory_unlock(hashtextextended('messaging:partition-indexes', 0))";

    // A concurrent build waits for transactions that are older, as long as they take; nobody waits behind it.
    private const string PatienceSql =
        """
        SET statement_timeout = 0;
        SET lock_timeout = 0
        """;

    // Attaching locks the partition's index exclusively, and sends and reads queue behind it: better to give up and try again.
    private const string ImpatienceSql = "SET lock_timeout = '200ms'";

    // False of what an interrupted build or an older script left; null when there is nothing.
    private const string IsValidSql =
        """
        SELECT i.indisvalid AND substring(pg_get_indexdef(i.indexrelid) FROM 'USING .*') = @Columns
        FROM pg_index i
        WHERE i.indexrelid = to_regclass('public.' || @Name)
        """;

    private const int Tries = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// Builds what is missing, one after the other; what an interrupted build left is built anew. Nothing when another node is at it. What
    /// cannot be attached since its month is being read for long is kept and attached the next time.
    /// </summary>
    public async Task BuildAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        if (!await connection.QuerySingleAsync<bool>(new CommandDefinition(LockSql, cancellationToken: ct)))
            return;
        try
        {
            foreach (var missing in (await connection.QueryAsync<Missing>(new CommandDefinition(MissingSql, cancellationToken: ct)))
                .AsList())
            {
                await BuildAsync(connection, missing, ct);
                if (!await TryAttachAsync(connection, missing, ct))
                    logger.LogInformation(
                        "{Partition} is being read for long; its index {Index} is attached later", missing.Partition, missing.Parent);
            }
        }
        finally
        {
            // The pool keeps the session; one that was cut has no lock any more.
            if (connection.State is ConnectionState.Open)
                await ExecuteAsync(connection, UnlockSql, CancellationToken.None);
        }
    }

    private async Task BuildAsync(NpgsqlConnection connection, Missing missing, CancellationToken ct)
    {
        var valid = await connection.QuerySingleOrDefaultAsync<bool?>(
            new CommandDefinition(IsValidSql, new { missing.Name, missing.Columns }, cancellationToken: ct));
        if (valid is true)
            return;
        await ExecuteAsync(connection, PatienceSql, ct);
        if (valid is false)
            await ExecuteAsync(connection, $"DROP INDEX CONCURRENTLY IF EXISTS public.{missing.Name}", ct);
        logger.LogInformation("Building the index {Index} on {Partition}", missing.Parent, missing.Partition);
        await ExecuteAsync(connection, missing.BuildSql, ct);
    }

    private static async Task<bool> TryAttachAsync(NpgsqlConnection connection, Missing missing, CancellationToken ct)
    {
        await ExecuteAsync(connection, ImpatienceSql, ct);
        for (var left = Tries; left > 0; left--)
        {
            try
            {
                await ExecuteAsync(connection, $"ALTER INDEX public.{missing.Parent} ATTACH PARTITION public.{missing.Name}", ct);
                return true;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await Task.Delay(Pause, ct);
            }
        }
        return false;
    }

    private static Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(sql, commandTimeout: 0, cancellationToken: ct));

    // All names are of this product's own making: lower case, digits and _.
    private sealed record Missing(string Parent, string Partition, string Definition)
    {
        public string Name { get; } = $"{Partition}_{Parent}";

        // CREATE INDEX ix_messages_words ON ONLY public.messages USING gin (…)
        public string Columns { get; } = Definition[Definition.IndexOf("USING ", StringComparison.Ordinal)..];

        public string BuildSql => $"CREATE INDEX CONCURRENTLY {Name} ON public.{Partition} {Columns}";
    }
}
