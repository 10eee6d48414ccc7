using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>The key of a message.</summary>
public sealed record MessageKey(ConversationId ConversationId, long Seq, Instant CreatedAt);

/// <summary>
/// The one reader of messages and their details, as a viewer sees them: a page of a conversation, which is a range, or messages found
/// before, by their keys. Each read is one round trip in one snapshot. Every kind of detail is read by a <see cref="MessageDetail"/>.
/// </summary>
public sealed class MessageReader(DbSession session, MessageLookupStore found, PolicySettings policies, MessageDetailSet details)
{
    /// <summary>The places <c>k</c>.</summary>
    internal const string Places =
        "unnest(@ConversationIds::uuid[], @Seqs::bigint[], @Times::timestamptz[]) AS k (conversation_id, seq, created_at)";

    // The columns of Row, of a message m, its sender s and the message r that it answers.
    private const string Columns =
        """
        m.id, m.conversation_id, m.seq, m.type, m.sender_id, s.display_name, s.avatar_url, m.text, m.metadata, m.location, m.reference,
            m.mentions, m.client_message_id, m.edit_count, m.edited_at, m.deleted_at, m.deleted_by, m.deleted_reason, m.created_at,
            m.version, r.id AS reply_id, r.seq AS reply_seq, r.sender_id AS reply_sender_id, r.preview AS reply_preview,
            r.deleted AS reply_deleted
        """;

    private const string Stored =
        """
        SELECT m.id, m.conversation_id, m.seq, m.type, m.sender_id, m.text, m.metadata, m.location, m.reference, m.mentions,
                m.client_message_id, m.reply_to_seq, m.edit_count, m.edited_at, m.deleted_at, m.deleted_by, m.deleted_reason, m.created_at,
                m.version
            FROM messages m
        """;

    // What a viewer p sees of a message m, with its sender and the message that it answers: a time that is not known looks in no month. For
    // the service p sees from the beginning. The LIMITs keep the planner from joining whole tables, and what is asked of each row out of
    // the scans, of which there is one a month to be made ready. Index: pk_users, pk_messages, pk_message_hidden.
    private const string Seen =
        $"""
        LEFT JOIN LATERAL (
            SELECT u.display_name, u.avatar_url
            FROM users u
            WHERE u.id = m.sender_id
            LIMIT 1
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT o.id, o.seq, o.sender_id, {Previews.Text} AS preview, o.deleted_at IS NOT NULL AS deleted
            FROM messages o
            WHERE o.conversation_id = p.conversation_id AND o.seq = m.reply_to_seq
                AND o.created_at BETWEEN p.begun_at AND CASE WHEN m.reply_to_seq IS NOT NULL THEN m.created_at END
            LIMIT 1
        ) r ON {VisibilitySql.ReplySeen}
        WHERE {VisibilitySql.Seen}
        """;

    /// <summary>
    /// The page's bounds: seqs are dense, so a page is a range. Seqs tell no month; the conversation's first and last times do. What is not
    /// the viewer's to see is before the beginning, which makes the range begin there.
    /// </summary>
    // Index: pk_conversations, pk_participants.
    internal const string RangeSql =
        $"""
        SELECT bounds.conversation_id, @UserId::text AS user_id, greatest(bounds.after, bounds.cleared_seq) AS after, bounds.upto,
            bounds.last_seq, bounds.cleared_seq, bounds.has_gaps, bounds.begun_at, bounds.last_activity_at
        FROM (
            SELECT c.id AS conversation_id, c.last_seq, c.created_at AS begun_at, c.last_activity_at,
                coalesce({VisibilitySql.Start}, 0) AS cleared_seq, coalesce(p.has_gaps, false) AS has_gaps,
                coalesce(@After, greatest(least(coalesce(@Upto, c.last_seq), c.last_seq) - @Limit, 0)) AS after,
                least(coalesce(@After + greatest({VisibilitySql.Start} - @After, 0) + @Limit, @Upto, c.last_seq), c.last_seq) AS upto
            FROM conversations c
            LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
            WHERE c.id = @ConversationId AND (@UserId::text IS NULL OR p.user_id IS NOT NULL)
        ) bounds
        """;

    // Index: pk_messages, the range alone, in the months of the conversation.
    internal const string PageMessagesSql =
        $"""
        WITH page AS MATERIALIZED ({RangeSql})
        SELECT {Columns}
        FROM page p
        CROSS JOIN LATERAL (
            {Stored}
            WHERE m.conversation_id = @ConversationId AND m.seq > p.after AND m.seq <= p.upto
                AND m.created_at BETWEEN p.begun_at AND p.last_activity_at
            LIMIT @Limit
        ) m
        {Seen}
        ORDER BY m.seq
        """;

    // A LIMIT keeps the planner from reading all that the viewer takes part in, to hash it. Index: pk_messages, pk_conversations,
    // pk_participants.
    internal const string MessagesSql =
        $"""
        SELECT {Columns}
        FROM (
            SELECT k.conversation_id, @UserId::text AS user_id, k.seq, k.created_at, c.created_at AS begun_at,
                CASE WHEN @UserId::text IS NULL THEN 0
                    ELSE {VisibilitySql.Start} END AS cleared_seq, coalesce(p.has_gaps, false) AS has_gaps
            FROM {Places}
            JOIN conversations c ON c.id = k.conversation_id
            LEFT JOIN LATERAL (
                SELECT {VisibilitySql.Start}, p.has_gaps
                FROM participants p
                WHERE p.conversation_id = k.conversation_id AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
                LIMIT 1
            ) p ON true
        ) p
        CROSS JOIN LATERAL (
            {Stored}
            WHERE m.conversation_id = p.conversation_id AND m.seq = p.seq AND m.created_at = p.created_at
            LIMIT 1
        ) m
        {Seen}
        """;

    /// <summary>
    /// The page that ends at <paramref name="upto"/> (the newest when null), or that begins after <paramref name="after"/>, as the viewer
    /// receives it, with the seq that the viewer's delivered pointer has to be moved to by that; null where it is there already. The page
    /// tells of it as moved.
    /// </summary>
    public Task<(MessagePage Page, long? Received)?> ReceivePageAsync(
        ConversationId conversationId, Actor viewer, long? upto, long? after, int limit, CancellationToken ct) =>
        ReadPageAsync(conversationId, viewer, upto, after, limit, receives: true, ct);

    public async Task<MessageView> GetAsync(ConversationId conversationId, long seq, Actor viewer, CancellationToken ct) =>
        await FindAsync(conversationId, seq, viewer, ct) ?? throw CommonErrors.NotFound();

    /// <summary>Null for a message that is absent or not visible to the viewer.</summary>
    public async Task<MessageView?> FindAsync(ConversationId conversationId, long seq, Actor viewer, CancellationToken ct) =>
        (await ReadPageAsync(conversationId, viewer, seq, after: null, limit: 1, receives: false, ct))?.Page.Items.SingleOrDefault();

    /// <summary>A message for its author, even if they have since cleared it or left.</summary>
    public async Task<MessageView> GetOwnAsync(ConversationId conversationId, long seq, Actor author, CancellationToken ct)
    {
        if (await FindAsync(conversationId, seq, author, ct) is { } seen)
            return seen;
        var own = await GetAsync(conversationId, seq, Actor.Service, ct);
        return own.ReplyTo is { } quoted && await FindAsync(conversationId, quoted.Seq, author, ct) is null
            ? own with { ReplyTo = null } : own;
    }

    public async Task<MessageView> GetAsync(ConversationId conversationId, MessageId id, Actor viewer, CancellationToken ct) =>
        await GetAsync(conversationId, (await found.GetAsync(conversationId, id, viewer, ct)).Seq, viewer, ct);

    /// <summary>The messages that the viewer may see, in the order of the keys.</summary>
    public async Task<IReadOnlyList<MessageView>> ListAsync(IReadOnlyList<MessageKey> places, Actor viewer, CancellationToken ct)
    {
        if (places.Count == 0)
            return [];
        var ids = places.Select(place => place.ConversationId).Distinct().ToList();
        var views = await session.QueryAsync(Read(details, places, viewer, receiptsIn: ids, policies.Receipts, UrlAudience.Caller), ct);
        return [.. places.Select(place => views(place.ConversationId, place.Seq)).OfType<MessageView>()];
    }

    /// <summary>Messages by key, for callers that read other things in the same round trip; null for what the viewer may not see.</summary>
    /// <param name="receiptsIn">The conversations in which receipts are counted; elsewhere the counts are zero.</param>
    /// <param name="receipts">Whether receipts are shown here.</param>
    internal static Reading<Func<ConversationId, long, MessageView?>> Read(
        MessageDetailSet details, IReadOnlyList<MessageKey> places, Actor viewer, IReadOnlyCollection<ConversationId> receiptsIn,
        bool receipts, UrlAudience audience)
    {
        var asked = new DetailRequests(audience, CountsPeople: receiptsIn.Count > 0);
        return new(
            asked.CountsPeople ? details.PlacesSql : details.UncountedSql,
            new
            {
                ConversationIds = places.Select(place => place.ConversationId.Value).ToArray(),
                Seqs = places.Select(place => place.Seq).ToArray(),
                Times = places.Select(place => place.CreatedAt.ToDateTimeUtc()).ToArray(),
                UserId = viewer.UserId?.Value,
                Receipts = receipts,
                ReceiptsIn = receiptsIn.Select(id => id.Value).ToArray(),
            },
            async grid =>
            {
                var rows = (await grid.ReadAsync<MessageRow>()).ToDictionary(row => (row.ConversationId, row.Seq));
                var fillers = await details.ReadAsync(grid, asked);
                return (id, seq) => rows.TryGetValue((id, seq), out var row) ? row.ToView(fillers) : null;
            });
    }

    /// <summary>The row of a page, with a column for each detail that has no statement of its own.</summary>
    internal static string PageOf(IEnumerable<string> columns) =>
        string.Join(", ", columns.Prepend("SELECT page.after, page.upto, page.last_seq, page.cleared_seq")) + $" FROM ({RangeSql}) page";

    private Task<(MessagePage Page, long? Received)?> ReadPageAsync(
        ConversationId conversationId, Actor viewer, long? upto, long? after, int limit, bool receives, CancellationToken ct) =>
        session.QueryBatchAsync(
            details.PageSql,
            new
            {
                ConversationId = conversationId.Value,
                UserId = viewer.UserId?.Value,
                Upto = upto,
                After = after,
                Limit = limit,
                policies.Receipts,
            },
            async grid =>
            {
                if (await grid.ReadSingleOrDefaultAsync() is not IDictionary<string, object?> row)
                    return ((MessagePage, long?)?)null;
                var range = new PageRange(row);
                var rows = (await grid.ReadAsync<MessageRow>()).AsList();
                var asked = new DetailRequests(UrlAudience.Caller) { Page = range, Receives = receives };
                var fillers = await details.ReadAsync(grid, asked);
                var page = new MessagePage(
                    rows.ConvertAll(row => row.ToView(fillers)),
                    range.After > range.ClearedSeq ? Math.Min(range.After, range.LastSeq) + 1 : null,
                    range.Upto < range.LastSeq ? Math.Max(range.Upto, range.ClearedSeq) : null);
                return (page, asked.Received);
            },
            ct);
}

/// <summary>A message as it is read, before its details are filled in.</summary>
internal sealed record MessageRow(
    MessageId Id, ConversationId ConversationId, long Seq, MessageType Type, UserId? SenderId, string? DisplayName, string? AvatarUrl,
    string? Text, JsonText? Metadata, JsonText? Location, JsonText? Reference, string[]? Mentions, string? ClientMessageId, int EditCount,
    Instant? EditedAt, Instant? DeletedAt, UserId? DeletedBy, DeleteReason? DeletedReason, Instant CreatedAt, long Version,
    MessageId? ReplyId, long? ReplySeq, UserId? ReplySenderId, string? ReplyPreview, bool? ReplyDeleted)
{
    public MessageView ToView(Filler[] fillers)
    {
        var details = new MessageDetails();
        foreach (var fill in fillers)
            fill(this, ref details);
        return MessageView.Of(
            Id, ConversationId, Seq, Type, SenderId, SenderId is null ? null : new SenderView(SenderId.Value, DisplayName, AvatarUrl), Text,
            Metadata, MessagingJson.Read<MessageLocation>(Location), MessagingJson.Read<MessageReference>(Reference),
            ReplyId is null ? null : new ReplyView(ReplyId.Value, ReplySeq!.Value, ReplySenderId, ReplyPreview, ReplyDeleted!.Value),
            Mentions is null ? [] : Array.ConvertAll(Mentions, id => new UserId(id)), ClientMessageId, CreatedAt, details, EditCount,
            EditedAt, DeletedAt is null ? null : new DeletedView(DeletedAt.Value, DeletedBy, DeletedReason!.Value), Version);
    }
}

/// <summary>A page of a conversation's history, ascending by seq.</summary>
/// <param name="Before">Pass it as `before` for the previous page; null at the start of the history.</param>
/// <param name="After">Pass it as `after` for the next page; null at the newest message.</param>
public sealed record MessagePage(IReadOnlyList<MessageView> Items, long? Before, long? After);
