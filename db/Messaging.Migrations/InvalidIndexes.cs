using Npgsql;

namespace Messaging.Migrations;

/// <summary>What an interrupted concurrent build leaves behind: an index that costs every write and serves no read.</summary>
static class InvalidIndexes
{
    const string IsValidSql = """
        SELECT i.indisvalid
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relname = @Name
        """;

    // Not those of partitioned tables: these are invalid until every partition's index is attached, and cannot be rebuilt.
    const string InvalidSql = """
        SELECT c.relname
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'i'
            AND NOT i.indisvalid
        ORDER BY c.relname
        """;

    const string NoLockTimeoutSql = """
        SET lock_timeout = 0
        """;

    public static Task<List<string>> FindAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.QueryAsync(InvalidSql, row => row.GetString(0), ct);

    /// <summary>
    /// True when an earlier run did what the statement does and was killed before it could record it.
    /// Drops what an interrupted build of the same index left.
    /// </summary>
    public static async Task<bool> IsDoneAlreadyAsync(
        NpgsqlConnection connection, Script script, string sql, TextWriter output, CancellationToken ct)
    {
        var statement = SqlText.Statements(sql)[0];
        if (SqlText.IndexDroppedConcurrently(statement) is { } dropped)
            return await connection.ScalarAsync<bool?>(IsValidSql, ct, ("Name", dropped)) is null;
        if (SqlText.IndexBuiltConcurrently(statement) is not { } built)
            return false;

        var valid = await connection.ScalarAsync<bool?>(IsValidSql, ct, ("Name", built));
        if (valid is true)
            await output.WriteLineAsync($"{script}: {built} stands already, finished by an earlier run");
        if (valid is false)
        {
            await output.WriteLineAsync($"{script}: dropping {built}, left invalid by an interrupted build");
            await connection.ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS public.{Quote(built)}", ct);
        }

        return valid is true;
    }

    /// <summary>Rebuilds every invalid index that an applied script made, and drops what an interrupted rebuild left.</summary>
    public static async Task<IReadOnlyList<string>> RebuildAsync(
        NpgsqlConnection connection, IEnumerable<Script> applied, TextWriter output, CancellationToken ct)
    {
        var ours = applied.SelectMany(script => script.Up).SelectMany(SqlText.IndexesMadeBy).ToHashSet();
        var rebuilt = new List<string>();
        await connection.ExecuteAsync(NoLockTimeoutSql, ct);

        foreach (var index in await FindAsync(connection, ct))
        {
            if (ours.Any(name => IsLeftOfRebuild(index, name)))
            {
                await output.WriteLineAsync($"Dropping {index}, left by an interrupted rebuild");
                await connection.ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS public.{Quote(index)}", ct);
            }
            else if (ours.Contains(index))
            {
                await output.WriteLineAsync($"Rebuilding {index}, which is invalid");
                await connection.ExecuteAsync($"REINDEX INDEX CONCURRENTLY public.{Quote(index)}", ct);
                rebuilt.Add(index);
            }
            else
            {
                await output.WriteLineAsync($"{index} is invalid, but no script made it: left as it is");
            }
        }

        return rebuilt;
    }

    // PostgreSQL builds the new index as name_ccnew, and keeps the old one as name_ccold until it may go.
    static bool IsLeftOfRebuild(string index, string name) =>
        index.StartsWith($"{name}_ccnew", StringComparison.Ordinal) || index.StartsWith($"{name}_ccold", StringComparison.Ordinal);

    static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
