using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Reads blocks, and marks the direct conversations of a pair so that a send need not look for them.</summary>
public sealed class BlockStore(DbSession session, PolicySettings policies)
{
    // Locks the conversations of the pair: a send is stored before, or decided after; then the rows of the two, whose pointers stay for
    // the other one as they are. Index: pk_direct_keys, the range of the pair; pk_conversations; pk_participants.
    private const string PartSql =
        $"""
        WITH c AS (
            UPDATE conversations
            SET blocked = true, version = version + 1
            WHERE NOT blocked AND id IN (
                SELECT conversation_id
                FROM direct_keys, (VALUES (@Pair::text)) AS the (pair)
                WHERE {PairStore.KeysOfPair})
            RETURNING id
        )
        UPDATE participants p
        SET shown_read_seq = CASE WHEN p.show_read_receipts THEN p.last_read_seq END, shown_delivered_seq = p.last_delivered_seq
        FROM c
        WHERE p.conversation_id = c.id AND p.shown_delivered_seq IS NULL
        """;

    // The same locks. What the pointers did meanwhile is told, unless a first message still waits. Index: the same.
    private const string RejoinSql =
        $$"""
        WITH c AS (
            UPDATE conversations
            SET blocked = false, version = version + 1
            WHERE blocked AND id IN (
                SELECT conversation_id
                FROM direct_keys, (VALUES (@Pair::text)) AS the (pair)
                WHERE {{PairStore.KeysOfPair}})
            RETURNING id, request, coalesce((policy ->> 'receipts')::boolean, @Receipts) AS receipts
        ),
        p AS (
            UPDATE participants p
            SET shown_read_seq = NULL, shown_delivered_seq = NULL
            FROM c
            JOIN participants before ON before.conversation_id = c.id
            WHERE c.request IS DISTINCT FROM 'pending' AND p.conversation_id = c.id AND p.user_id = before.user_id
            RETURNING p.conversation_id, p.user_id, p.last_read_seq, p.last_delivered_seq, p.show_read_receipts, before.shown_read_seq,
                before.shown_delivered_seq, c.receipts, clock_timestamp() AS at
        )
        INSERT INTO outbox (occurred_at, conversation_id, type, payload)
        SELECT p.at, p.conversation_id, told.type, jsonb_build_object(
                'userId', p.user_id, 'seq', told.seq, 'at', to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            || CASE WHEN told.type = @ReadEvent AND told.seq < told.before THEN jsonb_build_object('markedUnread', true) ELSE '{}' END
        FROM p
        CROSS JOIN LATERAL (VALUES
            (@ReadEvent, CASE WHEN p.show_read_receipts THEN p.last_read_seq END, p.shown_read_seq),
            (@DeliveredEvent, p.last_delivered_seq, p.shown_delivered_seq)) AS told (type, seq, before)
        WHERE p.receipts AND told.seq IS DISTINCT FROM told.before AND told.seq IS NOT NULL
        """;

    // Index: pk_blocks, pk_users.
    private const string PageSql =
        """
        SELECT b.blocked_id, u.display_name, u.avatar_url, b.created_at
        FROM blocks b
        JOIN users u ON u.id = b.blocked_id
        WHERE b.user_id = @UserId AND b.blocked_id > @After AND (@Only::text IS NULL OR b.blocked_id = @Only)
        ORDER BY b.blocked_id
        LIMIT @Take
        """;

    /// <summary>Under the pair's lock.</summary>
    public Task PartAsync(string pair, CancellationToken ct) => session.ExecuteAsync(PartSql, new { Pair = pair }, ct);

    /// <summary>Under the pair's lock. The transaction has an event that wakes the sequencer.</summary>
    public Task RejoinAsync(string pair, CancellationToken ct) => session.ExecuteAsync(
        RejoinSql, new { Pair = pair, policies.Receipts, ReadEvent = MessageRead.Name, DeliveredEvent = MessageDelivered.Name }, ct);

    public async Task<IReadOnlyList<BlockView>> ListAsync(UserId user, string after, UserId? only, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(PageSql, new { UserId = user.Value, After = after, Only = only?.Value, Take = take }, ct);
        return [.. rows.Select(row => new BlockView(new SenderView(row.BlockedId, row.DisplayName, row.AvatarUrl), row.CreatedAt))];
    }

    private sealed record Row(UserId BlockedId, string? DisplayName, string? AvatarUrl, Instant CreatedAt);
}
