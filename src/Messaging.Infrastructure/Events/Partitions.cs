using System.Globalization;
using Dapper;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>Creates the partitions that sends and the sequencer will need, and drops expired days of the feed.</summary>
public sealed class Partitions(DirectDataSource database)
{
    // Waiting for a lock makes others queue behind it: better to give up and try again.
    private const string LockTimeoutSql = "SET lock_timeout = '1s'";

    // Locks out other nodes that make partitions at the same moment, and the parents against other changes; sends and readers pass.
    // A dump may know of a later part of the outbox that is written into, and not have it: it reads sequences past its snapshot.
    private const string MakeSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:partitions', 0));
        SELECT create_messages_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date)
        FROM generate_series(0, 2) AS ahead;
        SELECT create_feed_partition((now() AT TIME ZONE 'UTC')::date + ahead)
        FROM generate_series(-1, 2) AS ahead;
        SELECT create_outbox_part(coalesce(pg_sequence_last_value('outbox_current'), 1)::integer)
        """;

    // The days of the events that the sequencer moves next. Index: the key of each part.
    private const string MakeForOutboxSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:partitions', 0));
        SELECT create_feed_partition(days.day)
        FROM (
            SELECT DISTINCT (next.occurred_at AT TIME ZONE 'UTC')::date AS day
            FROM unnest(@Parts::integer[]) AS named (part)
            CROSS JOIN LATERAL (
                SELECT occurred_at
                FROM outbox
                WHERE outbox.part = named.part AND occurred_at >= @From
                ORDER BY occurred_at, conversation_id, event_no
                LIMIT @Limit
            ) AS next
        ) AS days
        """;

    private const string NamesSql =
        """
        SELECT child.relname::text
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'feed'::regclass
        ORDER BY child.relname
        """;

    // Locks the feed first: the sequencer holds it when it asks for feed_state's row. Whoever comes meanwhile waits behind.
    private const string LockFeedSql =
        """
        SET LOCAL lock_timeout = '200ms';
        LOCK TABLE feed IN ACCESS EXCLUSIVE MODE
        """;

    private const string ExpireSql =
        """
        UPDATE feed_state
        SET expired_position = greatest(
            expired_position,
            (SELECT coalesce(max(position), 0) FROM feed WHERE occurred_at < @End AND occurred_at >= @Start))
        """;

    private const int Tries = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>Messages of this month and the next two, the feed of yesterday and the days to come, the part that events go to.</summary>
    public async Task MakeAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        for (var left = Tries; ; left--)
        {
            try
            {
                await connection.ExecuteAsync(new CommandDefinition(MakeSql, cancellationToken: ct));
                return;
            }
            // Another node is at it, or a table is busy.
            catch (PostgresException e) when (left > 1 && e.SqlState
                is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await Task.Delay(Pause, ct);
            }
        }
    }

    /// <summary>For events of days that were not foreseen: left in the outbox long ago, or made while the clock was wrong.</summary>
    public async Task MakeForOutboxAsync(int[] parts, DateTime from, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            MakeForOutboxSql, new { Parts = parts, From = from, Limit = (long)OutboxMover.BatchSize }, cancellationToken: ct));
    }

    /// <summary>
    /// Drops the feed's partitions of days before the given one; cursors into them are expired from that commit on. False when somebody
    /// reads the feed for long, such as a dump: to be tried again much later, since each try makes the sequencer wait.
    /// </summary>
    public async Task<bool> TryDropFeedBeforeAsync(DateOnly first, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        var names = await connection.QueryAsync<string>(new CommandDefinition(NamesSql, cancellationToken: ct));
        try
        {
            foreach (var day in names.Select(DayOf).Where(day => day < first))
                await DropAsync(connection, day!.Value, ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            return false;
        }
    }

    private static async Task DropAsync(NpgsqlConnection connection, DateOnly day, CancellationToken ct)
    {
        var start = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(LockFeedSql, transaction: transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition(
            ExpireSql, new { Start = start, End = start.AddDays(1) }, transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition($"DROP TABLE {NameOf(day)}", transaction: transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
    }

    private static string NameOf(DateOnly day) => "feed_" + day.ToString("yyyy_MM_dd", CultureInfo.InvariantCulture);

    private static DateOnly? DayOf(string name) =>
        DateOnly.TryParseExact(name, "'feed_'yyyy_MM_dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = await database.Value.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(LockTimeoutSql, cancellationToken: ct));
        return connection;
    }
}
