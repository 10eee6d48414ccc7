using System.Diagnostics;
using Dapper;
using Messaging.Migrations;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Database;

/// <summary>Decides at start whether the database may be used: there, of this release's schema, and keeping what it acknowledges.</summary>
public sealed class DatabaseStart(NpgsqlDataSource database, DatabaseClock clock, DatabaseSettings settings, ILogger<DatabaseStart> logger)
{
    private const string UnsafeSettingsSql =
        """
        SELECT name || '=' || setting
        FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
          AND setting = 'off'
        ORDER BY name
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Why the service must not run on this database, in one line for an operator; null when it may.</summary>
    public async Task<string?> FindRefusalAsync(CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await CheckAsync(ct);
            }
            catch (Exception e) when (DatabaseFailures.IsAway(e) || DatabaseFailures.IsRefusal(e))
            {
                if (DatabaseFailures.IsRefusal(e) || Stopwatch.GetElapsedTime(started) > settings.StartTimeout)
                    return $"PostgreSQL cannot be used: {Reason(e)}. Check ConnectionStrings__Messaging.";
                logger.LogWarning("PostgreSQL does not answer yet: {Reason}", Reason(e));
            }
            await Task.Delay(Pause, ct);
        }
    }

    private async Task<string?> CheckAsync(CancellationToken ct)
    {
        var schema = await SchemaVersion.CheckAsync(database, ct);
        if (schema.State is SchemaState.Older or SchemaState.Broken)
            return schema.Message;
        if (schema.State is SchemaState.Newer)
            logger.LogInformation("{Schema}", schema.Message);
        await clock.AskAsync(ct);
        if (settings.AllowUnsafeDurability)
            return null;

        await using var connection = await database.OpenConnectionAsync(ct);
        var unsafeSettings = (await connection.QueryAsync<string>(new CommandDefinition(UnsafeSettingsSql, cancellationToken: ct)))
            .AsList();
        return unsafeSettings.Count == 0
            ? null
            : $"PostgreSQL runs with {string.Join(", ", unsafeSettings)}: a crash would lose acknowledged messages. " +
              "Switch it on, or set Messaging__Database__AllowUnsafeDurability=true where that does not matter.";
    }

    private static string Reason(Exception e) => e switch
    {
        PostgresException postgres => postgres.MessageText,
        _ => e.InnerException?.Message.TrimEnd('.') ?? e.Message.TrimEnd('.'),
    };
}
