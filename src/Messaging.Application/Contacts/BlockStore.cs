using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Reads blocks.</summary>
public sealed class BlockStore(DbSession session)
{
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

    public async Task<IReadOnlyList<BlockView>> ListAsync(UserId user, string after, UserId? only, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(PageSql, new { UserId = user.Value, After = after, Only = only?.Value, Take = take }, ct);
        return [.. rows.Select(row => new BlockView(new SenderView(row.BlockedId, row.DisplayName, row.AvatarUrl), row.CreatedAt))];
    }

    private sealed record Row(UserId BlockedId, string? DisplayName, string? AvatarUrl, Instant CreatedAt);
}
