using Messaging.Domain.Messages;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Events;

/// <summary>How many events a move took from the outbox, and up to where the feed goes since.</summary>
public readonly record struct Move(int Count, long LastPosition);

/// <summary>Moves committed events from the outbox to the feed under a lease, on one connection.</summary>
public sealed class OutboxMover : IAsyncDisposable
{
    public const int BatchSize = 1_000;

    // The plans are made once and must not depend on how full the tables were at that moment.
    private const string SessionSql =
        """
        SET jit = off;
        SET enable_seqscan = off;
        SET plan_cache_mode = force_generic_plan
        """;

    // Of several moves of one pointer that wait together, told to the same ones, the one that reaches furthest stands for those before it.
    // One that moves back (markedUnread) is never left out: whoever folds the others alone would not come to where it led.
    // Locks the lease's row against a takeover until the move is committed, then feed_state's row. Index: pk_outbox.
    private const string MoveSql =
        $"""
        WITH held AS MATERIALIZED (
            SELECT name
            FROM leases
            WHERE name = @Name AND holder = @Holder AND fencing = @Fencing AND expires_at > clock_timestamp()
            FOR SHARE
        ),
        taken AS (
            DELETE FROM outbox
            WHERE EXISTS (SELECT FROM held)
              AND ctid = ANY (ARRAY(
                SELECT ctid
                FROM outbox
                ORDER BY occurred_at, conversation_id, event_no
                LIMIT @Limit))
            RETURNING id, occurred_at, conversation_id, event_no, seq, user_id, type, payload
        ),
        pointers AS (
            SELECT id, occurred_at, conversation_id, event_no, user_id, type,
                coalesce(payload ->> 'userId', user_id) AS owner, payload ? 'markedUnread' AS back,
                ARRAY[coalesce(payload ->> 'seq', payload ->> 'lastReadSeq')::bigint, (payload ->> 'lastSeq')::bigint] AS reach
            FROM taken
            WHERE type IN ('{MessageEvents.Read}', '{MessageEvents.Delivered}', '{MessageEvents.UnreadChanged}')
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
            SELECT count(*) AS taken, count(*) - (SELECT count(*) FROM outdone) AS kept
            FROM taken
        ),
        state AS (
            UPDATE feed_state
            SET last_position = last_position + counted.kept
            FROM counted
            WHERE counted.taken > 0
            RETURNING last_position, counted.taken, counted.kept
        ),
        moved AS (
            INSERT INTO feed (position, occurred_at, conversation_id, seq, user_id, type, payload)
            SELECT
                state.last_position - state.kept + row_number() OVER (ORDER BY occurred_at, conversation_id, event_no, id),
                occurred_at, conversation_id, seq, user_id, type, payload
            FROM taken
            CROSS JOIN state
            WHERE NOT EXISTS (SELECT FROM outdone WHERE outdone.id = taken.id)
        )
        SELECT taken::integer, last_position, pg_notify(@Channel, last_position::text)
        FROM state
        """;

    private readonly NpgsqlCommand command;

    private OutboxMover(NpgsqlCommand command) => this.command = command;

    public static async Task<OutboxMover> PrepareAsync(NpgsqlConnection connection, Lease lease, CancellationToken ct)
    {
        await using (var session = new NpgsqlCommand(SessionSql, connection))
            await session.ExecuteNonQueryAsync(ct);
        var prepared = new NpgsqlCommand(MoveSql, connection)
        {
            CommandTimeout = (int)Lease.CommandTimeout.TotalSeconds,
            Parameters =
            {
                new NpgsqlParameter("Name", lease.Name),
                new NpgsqlParameter("Holder", lease.Holder),
                new NpgsqlParameter("Fencing", lease.Fencing),
                new NpgsqlParameter("Limit", NpgsqlDbType.Bigint) { Value = (long)BatchSize },
                new NpgsqlParameter("Channel", FeedListener.Channel),
            },
        };
        await prepared.PrepareAsync(ct);
        return new OutboxMover(prepared);
    }

    /// <summary>One statement, one commit. Moves nothing once the lease has run out or passed on.</summary>
    public async Task<Move> MoveAsync(CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new Move(reader.GetInt32(0), reader.GetInt64(1)) : default;
    }

    public ValueTask DisposeAsync() => command.DisposeAsync();
}
