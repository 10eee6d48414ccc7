using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Reads messages as a participant sees them: a page, one by its seq, or one by its id.</summary>
public sealed class MessageViewStore(DbSession session, PolicySettings policies, FileUrls urls)
{
    /// <summary>Code points of a preview.</summary>
    public const int PreviewLength = 120;

    /// <summary>The columns of <see cref="Row"/>, of a message <c>m</c>, its sender <c>s</c> and the message <c>r</c> that it answers.</summary>
    internal const string Columns =
        """
        m.id, m.conversation_id, m.seq, m.type, m.sender_id, s.display_name, s.avatar_url, m.text, m.metadata, m.location, m.reference,
            m.mentions, m.client_message_id, m.edit_count, m.edited_at, m.deleted_at, m.deleted_by, m.deleted_reason, m.created_at, m.version,
            r.id AS reply_id, r.seq AS reply_seq, r.sender_id AS reply_sender_id, r.preview AS reply_preview, r.deleted AS reply_deleted
        """;

    /// <summary>The sender <c>s</c> of a message <c>m</c>. The LIMIT keeps the planner from joining whole tables. Index: pk_users.</summary>
    internal const string SenderJoin =
        """
        LEFT JOIN LATERAL (
            SELECT u.display_name, u.avatar_url
            FROM users u
            WHERE u.id = m.sender_id
            LIMIT 1
        ) s ON true
        """;

    // The page's bounds: seqs are dense, so a page is a range. Seqs tell no month; the conversation's first and last times do. What the
    // viewer cleared, or was not there for where that counts, is before the beginning. Index: pk_conversations, pk_participants.
    private const string RangeSql =
        """
        SELECT greatest(bounds.after, bounds.cleared_seq) AS after, bounds.upto, bounds.last_seq, bounds.cleared_seq, bounds.has_gaps,
            bounds.created_at, bounds.last_activity_at
        FROM (
            SELECT c.last_seq, c.created_at, c.last_activity_at, coalesce(v.cleared_seq, 0) AS cleared_seq, coalesce(v.has_gaps, false) AS has_gaps,
                coalesce(@After, greatest(least(coalesce(@Upto, c.last_seq), c.last_seq) - @Limit, 0)) AS after,
                least(coalesce(@After + greatest(v.cleared_seq - @After, 0) + @Limit, @Upto, c.last_seq), c.last_seq) AS upto
            FROM conversations c
            LEFT JOIN participants v ON v.conversation_id = @ConversationId AND v.user_id = @UserId AND v.left_at IS NULL
            WHERE c.id = @ConversationId AND (@UserId::text IS NULL OR v.user_id IS NOT NULL)
        ) bounds
        """;

    // The bounds with the pinned ones between them. Index: pk_pins, the range alone.
    private const string PageSql =
        $"""
        SELECT page.after, page.upto, page.last_seq, page.cleared_seq, ARRAY(
            SELECT i.seq
            FROM pins i
            WHERE i.conversation_id = @ConversationId AND i.seq > page.after AND i.seq <= page.upto) AS pinned
        FROM ({RangeSql}) page
        """;

    // Index: pk_messages, the range alone, in the months of the conversation; pk_users for each sender; pk_messages for each replied
    // one, where there is one: a time that is not known looks in no month. pk_message_hidden, for who has deleted anything for oneself.
    // The inner LIMITs keep what is asked of each row out of the scans, of which there is one a month to be made ready. That a hidden one
    // comes after the bound is known already, but keeps PostgreSQL from reading all that the viewer has ever hidden, to hash it.
    private const string MessagesSql =
        $"""
        WITH page AS MATERIALIZED ({RangeSql})
        SELECT {Columns}
        FROM page
        CROSS JOIN LATERAL (
            SELECT m.id, m.conversation_id, m.seq, m.type, m.sender_id, m.text, m.metadata, m.location, m.reference, m.mentions,
                m.client_message_id, m.reply_to_seq, m.edit_count, m.edited_at, m.deleted_at, m.deleted_by, m.deleted_reason, m.created_at,
                m.version
            FROM messages m
            WHERE m.conversation_id = @ConversationId AND m.seq > page.after AND m.seq <= page.upto
                AND m.created_at BETWEEN page.created_at AND page.last_activity_at
            LIMIT @Limit
        ) m
        {SenderJoin}
        LEFT JOIN LATERAL (
            SELECT o.id, o.seq, o.sender_id, CASE WHEN o.deleted_at IS NULL THEN left(o.text, 120) END AS preview,
                o.deleted_at IS NOT NULL AS deleted
            FROM messages o
            WHERE o.conversation_id = @ConversationId AND o.seq = m.reply_to_seq
                AND o.created_at BETWEEN page.created_at AND CASE WHEN m.reply_to_seq IS NOT NULL THEN m.created_at END
            LIMIT 1
        ) r ON r.seq > page.cleared_seq AND NOT (page.has_gaps AND EXISTS (
            SELECT FROM message_hidden h
            WHERE h.conversation_id = @ConversationId AND h.user_id = @UserId AND h.seq = r.seq AND h.seq > page.cleared_seq))
        WHERE NOT (page.has_gaps AND EXISTS (
            SELECT FROM message_hidden h
            WHERE h.conversation_id = @ConversationId AND h.user_id = @UserId AND h.seq = m.seq AND h.seq > page.after))
        ORDER BY m.seq
        """;

    // Index: pk_reaction_counts, the range alone: a row per emoji, however many have reacted; pk_reactions for whether the viewer has.
    private const string ReactionsSql =
        $"""
        WITH page AS MATERIALIZED ({RangeSql})
        SELECT e.seq, e.emoji, e.count, EXISTS (
            SELECT FROM reactions o
            WHERE o.conversation_id = @ConversationId AND o.seq = e.seq AND o.user_id = @UserId AND o.emoji = e.emoji) AS mine, e.user_ids
        FROM page
        JOIN reaction_counts e ON e.conversation_id = @ConversationId AND e.seq > page.after AND e.seq <= page.upto
        ORDER BY e.seq, e.first_at, e.emoji
        """;

    // Index: ix_attachments_message, the range alone.
    private const string AttachmentsSql =
        $"""
        WITH page AS MATERIALIZED ({RangeSql})
        SELECT {AttachmentRow.Columns}
        FROM page
        JOIN attachments a ON a.conversation_id = @ConversationId AND a.seq > page.after AND a.seq <= page.upto AND NOT a.is_released
        ORDER BY a.seq, a.position
        """;

    // Index: pk_participants, those of the one conversation: at most the group's size, never its history.
    private const string PointersSql =
        $"""
        SELECT p.user_id, p.joined_seq, {ParticipantViewStore.ReadTold} AS last_read_seq,
            {ParticipantViewStore.DeliveredTold} AS last_delivered_seq,
            CASE WHEN p.user_id = @UserId AND NOT p.pending THEN p.last_delivered_seq END AS own_delivered_seq
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL AND {ConversationStore.Visible}
        """;

    // Index: ix_messages_id, in the partitions around the time that the id tells; pk_message_hidden.
    private const string FindSql =
        """
        SELECT m.seq, m.sender_id, CASE WHEN m.deleted_at IS NULL THEN left(m.text, 120) END AS preview, m.deleted_at IS NOT NULL AS deleted
        FROM messages m
        LEFT JOIN participants v ON v.conversation_id = @ConversationId AND v.user_id = @UserId AND v.left_at IS NULL
        WHERE m.id = @MessageId AND m.created_at BETWEEN @From AND @To AND m.conversation_id = @ConversationId
            AND (@UserId::text IS NULL OR (m.seq > v.cleared_seq AND NOT EXISTS (
                SELECT FROM message_hidden h
                WHERE h.conversation_id = @ConversationId AND h.user_id = @UserId AND h.seq = m.seq)))
        """;

    /// <summary>The page that ends at <paramref name="upto"/> (the newest when null), or that begins after <paramref name="after"/>.</summary>
    public async Task<MessagePage?> FindPageAsync(
        ConversationId conversationId, Actor viewer, long? upto, long? after, int limit, CancellationToken ct) =>
        (await ReadAsync(conversationId, viewer, upto, after, limit, receives: false, ct))?.Page;

    /// <summary>
    /// The same page as the viewer receives it, with the seq that the viewer's delivered pointer has to be moved to by that; null where it
    /// is there already. The page tells of it as moved.
    /// </summary>
    public Task<(MessagePage Page, long? Received)?> ReceivePageAsync(
        ConversationId conversationId, Actor viewer, long? upto, long? after, int limit, CancellationToken ct) =>
        ReadAsync(conversationId, viewer, upto, after, limit, receives: true, ct);

    private Task<(MessagePage Page, long? Received)?> ReadAsync(
        ConversationId conversationId, Actor viewer, long? upto, long? after, int limit, bool receives, CancellationToken ct)
    {
        var parameters = new
        {
            ConversationId = conversationId.Value,
            UserId = viewer.UserId?.Value,
            Upto = upto,
            After = after,
            Limit = limit,
            policies.Receipts,
        };
        return session.QueryBatchAsync(
            PageSql + ";" + MessagesSql + ";" + AttachmentsSql + ";" + ReactionsSql + ";" + PointersSql,
            parameters,
            async grid =>
            {
                var range = await grid.ReadSingleOrDefaultAsync<PageRow>();
                var rows = await grid.ReadAsync<Row>();
                var attachments = (await grid.ReadAsync<AttachmentRow>()).ToLookup(row => row.Seq!.Value, row => row.ToView(urls, UrlAudience.Caller));
                var reactions = (await grid.ReadAsync<ReactionRow>()).ToLookup(row => row.Seq, row => row.ToView());
                var pointers = (await grid.ReadAsync<PointerRow>()).ToArray();
                if (range is null)
                    return ((MessagePage, long?)?)null;
                var own = Array.FindIndex(pointers, pointer => pointer.OwnDeliveredSeq < range.Upto);
                var received = receives && own >= 0 && range.Upto > range.After;
                if (received && pointers[own].LastDeliveredSeq is not null)
                    pointers[own] = pointers[own] with { LastDeliveredSeq = range.Upto };
                var page = new MessagePage(
                    [.. rows.Select(row => row.ToView([.. attachments[row.Seq]], [.. reactions[row.Seq]], range.Pinned.Contains(row.Seq), pointers))],
                    range.After > range.ClearedSeq ? Math.Min(range.After, range.LastSeq) + 1 : null,
                    range.Upto < range.LastSeq ? Math.Max(range.Upto, range.ClearedSeq) : null);
                return (page, received ? range.Upto : null);
            },
            ct);
    }

    public async Task<MessageView> GetAsync(ConversationId conversationId, long seq, Actor viewer, CancellationToken ct) =>
        await FindAsync(conversationId, seq, viewer, ct) ?? throw CommonErrors.NotFound();

    /// <summary>Null for a message that is absent or not the viewer's to see.</summary>
    public async Task<MessageView?> FindAsync(ConversationId conversationId, long seq, Actor viewer, CancellationToken ct) =>
        (await FindPageAsync(conversationId, viewer, seq, after: null, limit: 1, ct))?.Items.SingleOrDefault();

    public async Task<MessageView> GetAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct)
    {
        var reply = await FindReplyAsync(conversationId, id, viewer, ct) ?? throw CommonErrors.NotFound();
        return await GetAsync(conversationId, reply.Seq, viewer, ct);
    }

    /// <summary>The message as a reply shows it, or null where it is absent, elsewhere or not the viewer's to see.</summary>
    public async Task<ReplyView?> FindReplyAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct)
    {
        // The service that made the id may have had another clock: what is not found near the id's time is looked for everywhere.
        var row = await FindAsync(id.Time - Duration.FromMinutes(5), id.Time + Duration.FromMinutes(5))
            ?? await FindAsync(Instant.FromUtc(1970, 1, 1, 0, 0), Instant.FromUtc(9999, 1, 1, 0, 0));
        return row is null ? null : new ReplyView(id, row.Seq, row.SenderId, row.Preview, row.Deleted);

        Task<ReplyRow?> FindAsync(Instant from, Instant to) => session.QuerySingleOrDefaultAsync<ReplyRow>(
            FindSql,
            new { MessageId = id.Value, From = from, To = to, ConversationId = conversationId.Value, UserId = viewer.UserId?.Value },
            ct);
    }

    private sealed record PageRow(long After, long Upto, long LastSeq, long ClearedSeq, long[] Pinned);

    private sealed record ReactionRow(long Seq, string Emoji, int Count, bool Mine, string[] UserIds)
    {
        public ReactionView ToView() => new(Emoji, Count, Mine, [.. UserIds.Select(id => new UserId(id))]);
    }

    // What is not told is null: how far somebody has read who hides it, and all of it where the policy says so.
    internal sealed record PointerRow(UserId UserId, long JoinedSeq, long? LastReadSeq, long? LastDeliveredSeq, long? OwnDeliveredSeq);

    private sealed record ReplyRow(long Seq, UserId? SenderId, string? Preview, bool Deleted);

    /// <summary>One row of <see cref="Columns"/>.</summary>
    internal sealed record Row(
        MessageId Id, ConversationId ConversationId, long Seq, MessageType Type, UserId? SenderId, string? DisplayName, string? AvatarUrl,
        string? Text, JsonText? Metadata, JsonText? Location, JsonText? Reference, string[]? Mentions, string? ClientMessageId, int EditCount,
        Instant? EditedAt, Instant? DeletedAt, UserId? DeletedBy, DeleteReason? DeletedReason, Instant CreatedAt, long Version, MessageId? ReplyId,
        long? ReplySeq, UserId? ReplySenderId, string? ReplyPreview, bool? ReplyDeleted)
    {
        public MessageView ToView(
            IReadOnlyList<AttachmentView> attachments, IReadOnlyList<ReactionView> reactions, bool pinned, IReadOnlyList<PointerRow> pointers)
        {
            var (recipients, delivered, read) = (0, 0, 0);
            foreach (var pointer in pointers)
            {
                if (pointer.JoinedSeq >= Seq || pointer.UserId == SenderId)
                    continue;
                recipients++;
                delivered += pointer.LastDeliveredSeq >= Seq ? 1 : 0;
                read += pointer.LastReadSeq >= Seq ? 1 : 0;
            }
            return new MessageView(
                Id, ConversationId, Seq, Type, SenderId, SenderId is null ? null : new SenderView(SenderId.Value, DisplayName, AvatarUrl),
                Text, Metadata, MessagingJson.Read<MessageLocation>(Location), MessagingJson.Read<MessageReference>(Reference),
                ReplyId is null ? null : new ReplyView(ReplyId.Value, ReplySeq!.Value, ReplySenderId, ReplyPreview, ReplyDeleted!.Value),
                [.. (Mentions ?? []).Select(id => new UserId(id))], attachments, reactions, ClientMessageId, pinned, EditCount, EditedAt,
                DeletedAt is null ? null : new DeletedView(DeletedAt.Value, DeletedBy, DeletedReason!.Value),
                delivered, read, recipients, CreatedAt, Version);
        }
    }
}

/// <summary>A part of a conversation's history, ascending by seq.</summary>
/// <param name="Before">The seq to ask for next to go back; null at the beginning.</param>
/// <param name="After">The seq to ask for next to go forward; null at the newest.</param>
public sealed record MessagePage(IReadOnlyList<MessageView> Items, long? Before, long? After);
