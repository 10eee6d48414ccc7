using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Plans;

/// <summary>
/// Has PostgreSQL explain a statement as the service runs it: prepared, and often enough for its choice of plan to be made.
/// </summary>
static partial class Explanation
{
    // PostgreSQL weighs a generic plan after five runs.
    const int Runs = 7;

    const string BackgroundSql = "SET LOCAL jit = off; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan";

    const string PerValuesSql = "SET LOCAL plan_cache_mode = force_custom_plan";

    /// <summary>The lines of EXPLAIN (ANALYZE, BUFFERS); what the statement wrote is taken back.</summary>
    public static async Task<IReadOnlyList<string>> OfAsync(NpgsqlDataSource database, HotStatement statement, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (statement.Background)
            await ExecuteAsync(connection, BackgroundSql, ct);
        if (statement.PerValues)
            await ExecuteAsync(connection, PerValuesSql, ct);
        await ExecuteAsync(connection, Prepare(statement), ct);
        var execute = $"EXECUTE explained ({string.Join(", ", statement.Parameters.Select(p => Literal(p.Value)))})";
        for (var run = 0; run < Runs; run++)
        {
            await transaction.SaveAsync("before", ct);
            await ExecuteAsync(connection, execute, ct);
            await transaction.RollbackAsync("before", ct);
        }

        var lines = await LinesAsync(connection, $"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {execute}", ct);
        await transaction.RollbackAsync(ct);
        await ExecuteAsync(connection, "DEALLOCATE explained", ct);
        return lines;
    }

    static string Prepare(HotStatement statement)
    {
        var numbers = statement.Parameters.Select((p, i) => (p.Name, Number: i + 1))
            .ToDictionary(p => p.Name, p => p.Number, StringComparer.Ordinal);
        var sql = Named()
            .Replace(statement.Sql, name => string.Create(CultureInfo.InvariantCulture, $"${numbers[name.Groups["name"].Value]}"));
        return $"PREPARE explained ({string.Join(", ", statement.Parameters.Select(p => TypeName(p.Type)))}) AS {sql}";
    }

    static string TypeName(NpgsqlDbType type) => type.HasFlag(NpgsqlDbType.Array)
        ? TypeName(type & ~NpgsqlDbType.Array) + "[]"
        : type == NpgsqlDbType.TimestampTz ? "timestamptz" : type.ToString().ToLowerInvariant();

    static string Literal(object? value) => value switch
    {
        null or DBNull => "NULL",
        byte[] bytes => $"'\\x{Convert.ToHexString(bytes)}'",
        DateTime time => $"'{time:O}'",
        Array items => $"'{{{string.Join(",", items.Cast<object>().Select(item => item is "NULL" ? "NULL" : $"\"{item}\""))}}}'",
        bool flag => flag ? "true" : "false",
        IFormattable number and (int or long) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => $"'{value}'",
    };

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task<IReadOnlyList<string>> LinesAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        var lines = new List<string>();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            lines.Add(reader.GetString(0));
        return lines;
    }

    [GeneratedRegex(@"(?<![@'])@(?<name>[A-Za-z]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();
}
