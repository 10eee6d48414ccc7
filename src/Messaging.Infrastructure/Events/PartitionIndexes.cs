using Dapper;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Builds the indexes that a script made on a partitioned table alone, on each partition that was there before: no script knows their names,
/// and what is built concurrently makes nobody wait.
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

    // A build takes as long as it takes.
    private const string PatienceSql =
        """
        SET statement_timeout = 0;
        SET lock_timeout = 0
        """;

    /// <summary>Builds what is missing, one after the other; what an interrupted build left is built anew.</summary>
    public async Task BuildAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        foreach (var missing in (await connection.QueryAsync<Missing>(new CommandDefinition(MissingSql, cancellationToken: ct))).AsList())
        {
            logger.LogInformation("Building the index {Index} on {Partition}", missing.Parent, missing.Partition);
            await ExecuteAsync(PatienceSql);
            await ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS public.{missing.Name}");
            await ExecuteAsync(missing.BuildSql);
            await ExecuteAsync($"ALTER INDEX public.{missing.Parent} ATTACH PARTITION public.{missing.Name}");
        }

        Task ExecuteAsync(string sql) => connection.ExecuteAsync(new CommandDefinition(sql, commandTimeout: 0, cancellationToken: ct));
    }

    // All names are of this product's own making: lower case, digits and _.
    private sealed record Missing(string Parent, string Partition, string Definition)
    {
        public string Name { get; } = $"{Partition}_{Parent}";

        // CREATE INDEX ix_messages_words ON ONLY public.messages USING gin (…)
        public string BuildSql => $"CREATE INDEX CONCURRENTLY {Name} ON public.{Partition} {Definition[Definition.IndexOf("USING ", StringComparison.Ordinal)..]}";
    }
}
