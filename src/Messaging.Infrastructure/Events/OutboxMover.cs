using Messaging.Application.Events;
using Messaging.Domain.Messages;
using Messaging.Infrastructure.Cluster;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Events;

/// <summary>The result of one move.</summary>
/// <param name="Found">How many events it saw.</param>
/// <param name="Count">How many of them it moved: all, or none without the lease.</param>
/// <param name="Batch">Those that were put into the feed, with their positions; null if it moved none.</param>
/// <param name="LastPosition">The last position of the feed, if it moved any.</param>
/// <param name="Latest">The time of the last of them.</param>
/// <param name="HasMore">Whether there may be more to move right away.</param>
public readonly record struct Move(int Found, int Count, MovedBatch? Batch, long LastPosition, DateTime Latest, bool HasMore);

/// <summary>Moves committed events from the outbox to the feed under a lease, on one connection.</summary>
public sealed class OutboxMover : IAsyncDisposable
{
    public const int BatchSize = 1_000;

    // The plans are made once and must not depend on how full the tables were at that moment. A move does not wait for the disk: what is
    // lost in a crash is moved again, because outbox and feed are in the same log.
    private const string SessionSql =
        """
        SET jit = off;
        SET enable_seqscan = off;
        SET plan_cache_mode = force_generic_plan;
        SET synchronous_commit = off
        """;

    // Of several waiting moves of one pointer with the same receivers, only the furthest is kept; of several counts only the last, because
    // they are counted on delivery. A move back (markedUnread) is never dropped: clients could not reconstruct it from the others.
    // Locks the lease's row against a takeover until the move is committed, then feed_state's row; nothing where there is nothing to move.
    // Who moved what this one sees holds the lease by then. Index: the key of each part that is named, and of no other; and
    // pk_feed_state, as in EventStore.StateSql. The newest version is at or beyond the highest position that is seen, also
    // where somebody else has just written another one.
    private const string MoveSql =
        $"""
        WITH next AS MATERIALIZED (
            SELECT waiting.part, waiting.place
            FROM unnest(@Parts::integer[]) AS named (part)
            CROSS JOIN LATERAL (
                SELECT part, ctid AS place, occurred_at, conversation_id, event_no
                FROM outbox
                WHERE outbox.part = named.part AND occurred_at >= @From
                ORDER BY occurred_at, conversation_id, event_no
                LIMIT @Limit
            ) AS waiting
            ORDER BY waiting.occurred_at, waiting.conversation_id, waiting.event_no
            LIMIT @Limit
        ),
        held AS MATERIALIZED (
            SELECT name
            FROM ({Lease.HeldSql}) AS lease
            WHERE EXISTS (SELECT FROM next)
        ),
        taken AS (
            DELETE FROM outbox
            USING next
            WHERE EXISTS (SELECT FROM held) AND outbox.part = next.part AND outbox.ctid = next.place
            RETURNING id, occurred_at, conversation_id, event_no, seq, user_id, type, payload
        ),
        pointers AS (
            SELECT id, occurred_at, conversation_id, event_no, user_id, type,
                coalesce(payload ->> 'userId', user_id) AS owner, payload ? 'markedUnread' AS back,
                coalesce(payload ->> 'seq', '0')::bigint AS reach
            FROM taken
            WHERE type IN ('{MessageRead.Name}', '{MessageDelivered.Name}', '{UnreadChanged.Name}')
        ),
        outdone AS (
            SELECT id
            FROM (
                SELECT id, back, reach <= max(reach) OVER (
                    PARTITION BY conversation_id, owner, type, user_id ORDER BY occurred_at, event_no, id
                    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS outdone
                FROM pointers
            ) p
            WHERE outdone AND NOT back
        ),
        counted AS (
            SELECT count(*) AS taken, count(*) - (SELECT count(*) FROM outdone) AS kept, max(occurred_at) AS latest
            FROM taken
        ),
        state AS (
            UPDATE feed_state
            SET last_position = last_position + counted.kept
            FROM counted
            WHERE counted.taken > 0 AND last_position >= (SELECT max(last_position) FROM feed_state)
            RETURNING epoch, last_position, counted.taken, counted.kept, counted.latest
        ),
        moved AS (
            INSERT INTO feed (position, occurred_at, conversation_id, seq, user_id, type, payload)
            SELECT
                state.last_position - state.kept + row_number() OVER (ORDER BY occurred_at, conversation_id, event_no, id),
                occurred_at, conversation_id, seq, user_id, type, payload
            FROM taken
            CROSS JOIN state
            WHERE NOT EXISTS (SELECT FROM outdone WHERE outdone.id = taken.id)
            RETURNING position, occurred_at, conversation_id, seq, user_id, type, payload
        )
        SELECT found.count::integer, state.taken::integer, state.epoch, state.last_position - state.kept, state.last_position, state.latest,
            moved.position, moved.occurred_at, moved.conversation_id, moved.seq, moved.user_id, moved.type, moved.payload
        FROM (SELECT count(*) FROM next) AS found
        LEFT JOIN state ON true
        LEFT JOIN moved ON true
        ORDER BY moved.position
        """;

    private readonly NpgsqlCommand command;
    private readonly OutboxParts parts;

    private OutboxMover(NpgsqlCommand command, OutboxParts parts) => (this.command, this.parts) = (command, parts);

    /// <summary>The parts of the outbox to read next.</summary>
    public int[] Parts => parts.Parts;

    /// <summary>From when on.</summary>
    public DateTime From => parts.From;

    public static async Task<OutboxMover> PrepareAsync(NpgsqlConnection connection, Lease lease, CancellationToken ct)
    {
        await using (var session = new NpgsqlCommand(SessionSql, connection))
            await session.ExecuteNonQueryAsync(ct);
        var prepared = new NpgsqlCommand(MoveSql, connection)
        {
            CommandTimeout = (int)Lease.CommandTimeout.TotalSeconds,
            Parameters =
            {
                new NpgsqlParameter("Parts", NpgsqlDbType.Array | NpgsqlDbType.Integer),
                new NpgsqlParameter("From", NpgsqlDbType.TimestampTz),
                new NpgsqlParameter("Name", lease.Name),
                new NpgsqlParameter("Holder", lease.Holder),
                new NpgsqlParameter("Fencing", lease.Fencing),
                new NpgsqlParameter("Limit", NpgsqlDbType.Bigint) { Value = (long)BatchSize },
            },
        };
        await prepared.PrepareAsync(ct);
        return new OutboxMover(prepared, await OutboxParts.LoadAsync(connection, lease, ct));
    }

    /// <summary>One statement, one commit. Moves nothing if there is nothing, or if the lease has expired or changed hands.</summary>
    public async Task<Move> MoveAsync(CancellationToken ct)
    {
        while (true)
        {
            var move = await LookAsync(ct);
            var goesOn = await parts.TendAsync(move, ct);
            if (move.Count > 0 || !goesOn)
                return move with { HasMore = goesOn || move.Count == BatchSize };
        }
    }

    public ValueTask DisposeAsync() => command.DisposeAsync();

    private async Task<Move> LookAsync(CancellationToken ct)
    {
        command.Parameters["Parts"].Value = parts.Parts;
        command.Parameters["From"].Value = parts.From;
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var found = reader.GetInt32(0);
        if (reader.IsDBNull(1))
            return new Move(found, 0, Batch: null, 0, default, HasMore: false);
        var (count, after, last, latest) =
            (reader.GetInt32(1), new FeedCursor(reader.GetInt64(2), reader.GetInt64(3)), reader.GetInt64(4), reader.GetDateTime(5));
        var rows = new List<FeedRow>(count);
        do
        {
            rows.Add(FeedTail.ReadRow(reader, first: 6));
        }
        while (await reader.ReadAsync(ct));
        return new Move(found, count, new MovedBatch(after, rows), last, latest, HasMore: false);
    }
}
