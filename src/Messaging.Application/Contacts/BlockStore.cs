using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Reads blocks, and marks the direct conversations of a pair so that a send need not look for them.</summary>
public sealed class BlockStore(DbSession session)
{
    // Locks the conversations of the pair: a send that was decided before finds another version. Index: pk_direct_keys, the range of the pair.
    private const string MarkSql =
        """
        UPDATE conversations
        SET blocked = @Blocked, version = version + 1
        WHERE blocked <> @Blocked AND id IN (
            SELECT conversation_id
            FROM direct_keys
            WHERE direct_key = @Pair OR (direct_key >= @Pair || ' ' AND direct_key < @Pair || '!'))
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
    public Task MarkAsync(string pair, bool blocked, CancellationToken ct) =>
        session.ExecuteAsync(MarkSql, new { Pair = pair, Blocked = blocked }, ct);

    public async Task<IReadOnlyList<BlockView>> ListAsync(UserId user, string after, UserId? only, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(PageSql, new { UserId = user.Value, After = after, Only = only?.Value, Take = take }, ct);
        return [.. rows.Select(row => new BlockView(new SenderView(row.BlockedId, row.DisplayName, row.AvatarUrl), row.CreatedAt))];
    }

    private sealed record Row(UserId BlockedId, string? DisplayName, string? AvatarUrl, Instant CreatedAt);
}
