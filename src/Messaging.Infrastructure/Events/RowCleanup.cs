using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Retention;
using Messaging.Infrastructure.Database;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>Deletes the old rows of all modules.</summary>
public sealed class RowCleanup(DirectDataSource database, IEnumerable<Module> modules, RetentionSettings settings, IClock clock)
{
    private const int BatchSize = 1_000;

    public async Task ForgetAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        var now = clock.GetCurrentInstant();
        foreach (var rows in modules.SelectMany(module => module.OldRows))
            await ForgetAsync(connection, rows.Sql, now - rows.Retention(settings), ct);
    }

    private static async Task ForgetAsync(NpgsqlConnection connection, string sql, Instant before, CancellationToken ct)
    {
        var command = new CommandDefinition(sql, new { Before = before.ToDateTimeUtc(), Limit = BatchSize }, cancellationToken: ct);
        while (await connection.ExecuteAsync(command) == BatchSize)
        {
        }
    }
}
