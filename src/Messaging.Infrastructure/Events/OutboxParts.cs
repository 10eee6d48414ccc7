using Dapper;
using Messaging.Infrastructure.Cluster;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Which parts of the outbox its leader looks at: the one that is written into, and the one before until it is empty. Sends writers on to
/// the next part now and then, so that what was moved is truncated and no look walks over more of it than one part holds, whatever
/// snapshot is open elsewhere. What is known of parts is known here alone: a new leader looks at all of them.
/// </summary>
sealed class OutboxParts
{
    /// <summary>After how many events writers are sent on.</summary>
    public const int RotateEvery = 5_000;

    // When writers could not be sent on.
    private const int RetryAfter = 1_000;

    private const string PartsSql =
        """
        SELECT substring(child.relname FROM '[0-9]+$')::integer AS part
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'outbox'::regclass
        ORDER BY part
        """;

    private const string CurrentSql = "SELECT coalesce(pg_sequence_last_value('outbox_current'), 1)::integer";

    // Whose statement may have begun before a part was made.
    private const string WritersSql =
        """
        SELECT virtualtransaction
        FROM pg_locks
        WHERE relation = 'outbox'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND mode = 'RowExclusiveLock' AND granted
        """;

    // Tries the locks that writers into these parts share, and lets go of them at once.
    private const string CloseSql =
        """
        SELECT bool_and(pg_try_advisory_xact_lock(hashtext('messaging:outbox'), part))
        FROM unnest(@Parts::integer[]) AS part
        """;

    // Locks the lease's row, as all that follow: a leader that was paused must not change parts under a new one.
    private const string RotateSql =
        $"""
        WITH held AS MATERIALIZED ({Lease.HeldSql})
        SELECT setval('outbox_current', @Part)
        FROM held
        WHERE NOT EXISTS (
            SELECT
            FROM pg_locks
            WHERE relation = 'outbox'::regclass
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND mode = 'RowExclusiveLock' AND virtualtransaction = ANY (@Writers))
        """;

    private const string EmptySql =
        $"""
        WITH held AS MATERIALIZED ({Lease.HeldSql})
        SELECT empty_outbox_part(@Part)
        FROM held
        """;

    private const string MakeSql =
        $"""
        WITH held AS MATERIALIZED ({Lease.HeldSql})
        SELECT create_outbox_part(@Part)
        FROM held
        """;

    private static readonly DateTime Always = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private readonly NpgsqlConnection connection;
    private readonly Lease lease;
    private int current;
    private int[] before;
    private string[] writers;

    // Nobody writes into those before any more, nor will.
    private bool closed;
    private int moved;
    private int due;

    private OutboxParts(NpgsqlConnection connection, Lease lease, int current, int[] before, string[] writers) =>
        (this.connection, this.lease, this.current, this.before, this.writers) = (connection, lease, current, before, writers);

    /// <summary>What is to be looked at in one snapshot: of two events of one conversation the second may be in a later part.</summary>
    public int[] Parts => closed ? before : [current, .. before];

    /// <summary>All that happened earlier has left these parts for good.</summary>
    public DateTime From { get; private set; } = Always;

    public static async Task<OutboxParts> LoadAsync(NpgsqlConnection connection, Lease lease, CancellationToken ct)
    {
        var at = await connection.QuerySingleAsync<int>(new CommandDefinition(CurrentSql, cancellationToken: ct));
        var parts = await connection.QueryAsync<int>(new CommandDefinition(PartsSql, cancellationToken: ct));
        var writing = await connection.QueryAsync<string>(new CommandDefinition(WritersSql, cancellationToken: ct));
        return new OutboxParts(connection, lease, at, [.. parts.Where(part => part != at)], [.. writing]);
    }

    /// <summary>To be told of every look; true when other parts are to be looked at next.</summary>
    public async Task<bool> TendAsync(Move move, CancellationToken ct)
    {
        if (before.Length == 0)
        {
            moved += move.Count;
            return moved >= due && await RotateAsync(ct);
        }
        if (!closed)
            return closed = await CloseAsync(ct);
        if (move.Count > 0)
            From = move.Latest;
        // A lease that ran out leaves behind what it found.
        if (move.Found == OutboxMover.BatchSize || move.Found > move.Count)
            return false;
        foreach (var part in before)
            await EmptyAsync(part, ct);
        (before, closed, From) = ([], false, Always);
        return true;
    }

    private async Task<bool> RotateAsync(CancellationToken ct)
    {
        due = moved + RetryAfter;
        var parts = (await connection.QueryAsync<int>(new CommandDefinition(PartsSql, cancellationToken: ct))).ToArray();
        int? next = null;
        foreach (var part in parts.Where(part => part != current))
        {
            if (await EmptyAsync(part, ct))
                next ??= part;
        }
        if (next is null)
        {
            await MakeAsync(Enumerable.Range(1, parts.Length + 1).Except(parts).First(), ct);
            return false;
        }
        var sent = await connection.QuerySingleOrDefaultAsync<long?>(new CommandDefinition(
            RotateSql, new { lease.Name, lease.Holder, lease.Fencing, Part = (long)next, Writers = writers }, cancellationToken: ct));
        if (sent is null)
            return false;
        (before, current, writers, moved, due) = ([current], next.Value, [], 0, RotateEvery);
        return true;
    }

    private Task<bool> CloseAsync(CancellationToken ct) =>
        connection.QuerySingleAsync<bool>(new CommandDefinition(CloseSql, new { Parts = before }, cancellationToken: ct));

    private Task<bool> EmptyAsync(int part, CancellationToken ct) => connection.QuerySingleOrDefaultAsync<bool>(new CommandDefinition(
        EmptySql, new { lease.Name, lease.Holder, lease.Fencing, Part = part }, cancellationToken: ct));

    // Where all others are held, such as by a dump.
    private async Task MakeAsync(int part, CancellationToken ct)
    {
        try
        {
            await connection.ExecuteAsync(new CommandDefinition(
                MakeSql, new { lease.Name, lease.Holder, lease.Fencing, Part = part }, cancellationToken: ct));
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            // The table is being vacuumed by hand or the like: later.
        }
        writers = [.. await connection.QueryAsync<string>(new CommandDefinition(WritersSql, cancellationToken: ct))];
    }
}
