using Npgsql;

namespace Messaging.Migrations;

/// <summary>A script that would run.</summary>
/// <param name="Compatible">Whether the release before it runs beside it.</param>
public sealed record PlannedScript(
    long Version, string Name, bool OutsideTransaction, bool Compatible, IReadOnlyList<PlannedStatement> Statements);

/// <summary>A statement that would run, and what it does to everybody else.</summary>
/// <param name="Text">How the statement begins.</param>
/// <param name="Table">The table that is locked, or null.</param>
/// <param name="Lock">PostgreSQL's name of the lock, and who waits for it.</param>
/// <param name="TableBytes">Size of the table with its partitions; 0 when it does not exist yet.</param>
/// <param name="Seconds">A guess at how long it takes: 50 MB a second when it reads or rewrites the whole table, else 0.</param>
public sealed record PlannedStatement(string Text, string? Table, string Lock, long TableBytes, double Seconds)
{
    const double BytesPerSecond = 50e6;

    // to_regclass is null for a table that an earlier script of the plan makes.
    const string SizeSql = """
        SELECT (coalesce(pg_table_size(to_regclass(@Table)), 0)
            + coalesce((SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(to_regclass(@Table)) WHERE isleaf), 0))::bigint
        """;

    internal static async Task<PlannedStatement> OfAsync(NpgsqlConnection connection, string statement, CancellationToken ct)
    {
        var effect = StatementLock.Of(statement);
        var bytes = effect.Table is null ? 0 : await connection.ScalarAsync<long>(SizeSql, ct, ("Table", effect.Table));
        return new PlannedStatement(
            Beginning(statement), effect.Table, effect.Lock, bytes, effect.ReadsWholeTable ? Math.Round(bytes / BytesPerSecond, 1) : 0);
    }

    static string Beginning(string statement)
    {
        var words = string.Join(' ', statement.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return words.Length <= 80 ? words : $"{words[..79]}…";
    }
}
