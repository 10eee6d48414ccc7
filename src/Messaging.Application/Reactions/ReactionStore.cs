using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>Loads and saves the reactions of one message, under the lock of its conversation; reads who has reacted.</summary>
public sealed class ReactionStore(DbSession session, Outbox outbox)
{
    // Index: pk_reaction_counts, the one message; pk_reactions for each emoji.
    private const string LoadSql =
        """
        SELECT c.emoji, c.count, EXISTS (
            SELECT FROM reactions r
            WHERE r.conversation_id = @ConversationId AND r.seq = @Seq AND r.user_id = @UserId AND r.emoji = c.emoji) AS mine
        FROM reaction_counts c
        WHERE c.conversation_id = @ConversationId AND c.seq = @Seq
        """;

    // The conversation is locked: nobody else counts meanwhile.
    private const string AddSql =
        """
        WITH r AS (
            INSERT INTO reactions (conversation_id, seq, user_id, emoji, created_at)
            VALUES (@ConversationId, @Seq, @UserId, @Emoji, @Now)
        )
        INSERT INTO reaction_counts AS c (conversation_id, seq, emoji, count, user_ids, first_at)
        VALUES (@ConversationId, @Seq, @Emoji, 1, ARRAY[@UserId], @Now)
        ON CONFLICT (conversation_id, seq, emoji) DO UPDATE
        SET count = c.count + 1,
            user_ids = CASE WHEN cardinality(c.user_ids) < 10 THEN c.user_ids || EXCLUDED.user_ids ELSE c.user_ids END
        """;

    // The conversation is locked. One of the first ten who goes makes room for the next. Index: pk_reactions, the one message.
    private const string RemoveSql =
        """
        WITH gone AS (
            DELETE FROM reactions
            WHERE conversation_id = @ConversationId AND seq = @Seq AND user_id = @UserId AND emoji = @Emoji
        ),
        fewer AS (
            UPDATE reaction_counts c
            SET count = c.count - 1,
                user_ids = CASE WHEN @UserId = ANY(c.user_ids) THEN ARRAY(
                    SELECT r.user_id
                    FROM reactions r
                    WHERE r.conversation_id = @ConversationId AND r.seq = @Seq AND r.emoji = @Emoji AND r.user_id <> @UserId
                    ORDER BY r.created_at, r.user_id
                    LIMIT 10) ELSE c.user_ids END
            WHERE c.conversation_id = @ConversationId AND c.seq = @Seq AND c.emoji = @Emoji AND c.count > 1
        )
        DELETE FROM reaction_counts
        WHERE conversation_id = @ConversationId AND seq = @Seq AND emoji = @Emoji AND count = 1
        """;

    // Index: the primary key of each, the one message.
    private const string ForgetSql =
        """
        WITH r AS (
            DELETE FROM reactions
            WHERE conversation_id = @ConversationId AND seq = @Seq
        )
        DELETE FROM reaction_counts
        WHERE conversation_id = @ConversationId AND seq = @Seq
        """;

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

    // Index: pk_reactions, pk_users.
    private const string OneSql =
        """
        SELECT r.emoji, r.user_id, u.display_name, u.avatar_url, r.created_at
        FROM reactions r
        LEFT JOIN users u ON u.id = r.user_id
        WHERE r.conversation_id = @ConversationId AND r.seq = @Seq AND r.user_id = @UserId AND r.emoji = @Emoji
        """;

    /// <summary>The reactions of a message of a locked conversation, as the user is about to change them.</summary>
    public async Task<MessageReactions> LoadAsync(ConversationId id, long seq, UserId user, CancellationToken ct) =>
        new(await session.QueryAsync<EmojiCount>(LoadSql, new { ConversationId = id.Value, Seq = seq, UserId = user.Value }, ct));

    /// <summary>Writes what has moved, and tells it. The time is taken under the conversation's lock.</summary>
    public async Task SaveAsync(
        ConversationId id, MessageId messageId, long seq, UserId user, IReadOnlyList<ReactionMove> moves, Instant now, CancellationToken ct)
    {
        if (moves.Count == 0)
            return;
        foreach (var move in moves)
        {
            await session.ExecuteAsync(
                move.Added ? AddSql : RemoveSql,
                new { ConversationId = id.Value, Seq = seq, UserId = user.Value, move.Emoji, Now = now },
                ct);
        }
        await outbox.AppendAsync(
            [.. moves.Select(_ => new MessageReacted(id))],
            [.. moves.Select(move => new ReactionTold(messageId, move.Emoji, user, move.Added, move.Count))],
            seq,
            ct);
    }

    /// <summary>Removes all reactions of a message that is being deleted, in its transaction; that it is deleted tells it.</summary>
    public Task ForgetAsync(ConversationId id, long seq, CancellationToken ct) =>
        session.ExecuteAsync(ForgetSql, new { ConversationId = id.Value, Seq = seq }, ct);

    public async Task<ReactionItem> GetAsync(ConversationId id, long seq, UserId user, string emoji, CancellationToken ct) =>
        (await session.QuerySingleAsync<Row>(
            OneSql, new { ConversationId = id.Value, Seq = seq, UserId = user.Value, Emoji = emoji }, ct)).ToItem();

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
