using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>Reads who has reacted to a message.</summary>
public sealed class ReactionStore(DbSession session)
{
    // Index: pk_reactions, the one message from the cursor on; pk_users.
    private const string PageSql =
        $"""
        SELECT r.emoji, r.user_id, u.display_name, u.avatar_url, r.created_at
        FROM reactions r
        LEFT JOIN users u ON u.id = r.user_id
        WHERE r.conversation_id = @ConversationId AND r.seq = @Seq AND (r.user_id, r.emoji) > (@AfterUser, @AfterEmoji)
            AND (@Emoji::text IS NULL OR r.emoji = @Emoji) AND {Conversations.ConversationStore.Visible}
        ORDER BY r.user_id, r.emoji
        LIMIT @Take
        """;

    public async Task<IReadOnlyList<ReactionItem>> ListAsync(
        ConversationId id, long seq, Actor viewer, string? emoji, string afterUser, string afterEmoji, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(
            PageSql,
            new
            {
                ConversationId = id.Value,
                Seq = seq,
                UserId = viewer.UserId?.Value,
                Emoji = emoji,
                AfterUser = afterUser,
                AfterEmoji = afterEmoji,
                Take = take,
            },
            ct);
        return rows.ConvertAll(row => row.ToItem());
    }

    private sealed record Row(string Emoji, UserId UserId, string? DisplayName, string? AvatarUrl, Instant CreatedAt)
    {
        public ReactionItem ToItem() => new(Emoji, new SenderView(UserId, DisplayName, AvatarUrl), CreatedAt);
    }
}
