using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Reads bans as those who administer a group see them.</summary>
public sealed class BanStore(DbSession session)
{
    // Index: pk_bans, pk_users. Only for those who administer the group, and the service.
    private const string PageSql =
        """
        SELECT b.user_id, u.display_name, u.avatar_url, b.banned_by, a.display_name AS by_display_name, a.avatar_url AS by_avatar_url,
            b.created_at
        FROM bans b
        JOIN users u ON u.id = b.user_id
        LEFT JOIN users a ON a.id = b.banned_by
        WHERE b.conversation_id = @ConversationId AND b.user_id > @After
        ORDER BY b.user_id
        LIMIT @Take
        """;

    public async Task<IReadOnlyList<BanView>> ListAsync(ConversationId id, string after, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(PageSql, new { ConversationId = id.Value, After = after, Take = take }, ct);
        return [.. rows.Select(row => row.ToView())];
    }

    private sealed record Row(
        UserId UserId, string? DisplayName, string? AvatarUrl, UserId? BannedBy, string? ByDisplayName, string? ByAvatarUrl,
        Instant CreatedAt)
    {
        public BanView ToView() => new(
            new SenderView(UserId, DisplayName, AvatarUrl),
            BannedBy is { } by ? new SenderView(by, ByDisplayName, ByAvatarUrl) : null,
            CreatedAt);
    }
}
