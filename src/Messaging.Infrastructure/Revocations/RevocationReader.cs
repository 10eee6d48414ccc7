using Dapper;
using Messaging.Application.Revocations;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Revocations;

/// <summary>
/// Asks the database four times a second what was revoked, by whichever process. No word between nodes is needed that could be lost: what
/// is committed is found.
/// </summary>
public sealed class RevocationReader(DirectDataSource database, RevocationList revocations, ILogger<RevocationReader> logger)
    : BackgroundService
{
    private const int TimeoutSeconds = 2;

    // A statement before the one that reads, so that what commits between the two is read twice rather than never.
    private const string MarkSql =
        """
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        """;

    // Index: ix_revocations_kind_revoked_at.
    private const string RecentSql =
        """
        SELECT kind, subject, revoked_at
        FROM revocations
        WHERE kind = ANY (@Kinds) AND revoked_at > clock_timestamp() - @KeptFor::interval
        """;

    // Index: ix_revocations_xact. What is numbered beyond all transactions came with a dump of another server.
    private const string NewSql =
        """
        SELECT kind, subject, revoked_at
        FROM revocations
        WHERE xact >= @Mark::text::xid8 AND xact < pg_snapshot_xmax(pg_current_snapshot())
        """;

    private static readonly string[] Kinds = [.. Enum.GetNames<RevocationKind>().Select(name => name.ToLowerInvariant())];

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private long? mark;

    /// <summary>Knows what there is before the server accepts anyone.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.Value.OpenConnectionAsync(cancellationToken);
            await ReadAsync(connection, cancellationToken);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            logger.LogWarning(e, "Revocations are not known yet: the database does not answer");
        }
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, ReadOnAsync, stoppingToken);

    private async Task ReadOnAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        // It may be another server, which has lost the last transactions of the one before and given their numbers anew.
        mark = null;
        while (true)
        {
            await ReadAsync(connection, ct);
            await Task.Delay(Every, ct);
        }
    }

    private async Task ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var (next, rows) = await ReadAsync(connection, mark, ct);
        // The server counts anew: it was restored to an earlier time.
        if (next < mark)
            (next, rows) = await ReadAsync(connection, after: null, ct);
        revocations.Add(rows);
        mark = next;
    }

    private static async Task<(long Mark, IEnumerable<Revocation> Rows)> ReadAsync(
        NpgsqlConnection connection, long? after, CancellationToken ct)
    {
        var sql = $"{MarkSql}; {(after is null ? RecentSql : NewSql)}";
        var command = new CommandDefinition(
            sql, new { Kinds, RevocationList.KeptFor, Mark = after }, commandTimeout: TimeoutSeconds, cancellationToken: ct);
        await using var grid = await connection.QueryMultipleAsync(command);
        return (await grid.ReadSingleAsync<long>(), await grid.ReadAsync<Revocation>());
    }
}
