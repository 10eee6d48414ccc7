using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>A first message that waits, or waited, for its receiver to accept it. To its sender a declined request looks pending.</summary>
public sealed record MessageRequestView(
    Guid Id, ConversationId ConversationId, SenderView From, SenderView To, RequestStatus Status, MessagePreview? Message,
    Instant CreatedAt,
    Instant? AnsweredAt);

/// <summary>Asks with a first message, and reads requests as one of the two sees them.</summary>
public sealed class RequestStore(DbSession session, PairStore pairs)
{
    /// <summary>
    /// Whether a request <c>r</c> was declined, which its viewer <c>v</c> is not to learn: <see cref="FirstMessage.AsSeenBy"/>.
    /// </summary>
    public const string IsSilentNo = "(r.status = 'declined' AND r.from_id = v.user_id)";

    /// <summary>How a request <c>r</c> stands, as its viewer <c>v</c> sees it.</summary>
    public const string StatusShown = $"CASE WHEN {IsSilentNo} THEN 'pending' ELSE r.status END";

    /// <summary>When a request <c>r</c> was answered, as its viewer <c>v</c> sees it.</summary>
    public const string AnsweredShown = $"CASE WHEN {IsSilentNo} THEN NULL ELSE r.answered_at END";

    // Of a request r as its viewer v sees it.
    private const string Columns =
        $"""
        v.user_id AS viewer_id, r.id, r.conversation_id, r.from_id, f.display_name AS from_display_name, f.avatar_url AS from_avatar_url,
            r.to_id, t.display_name AS to_display_name, t.avatar_url AS to_avatar_url,
            {StatusShown} AS status,
            m.id AS message_id, m.seq, m.type, m.sender_id, {Previews.Text} AS text, m.deleted_at IS NOT NULL AS deleted,
            m.created_at AS message_at, r.created_at,
            {AnsweredShown} AS answered_at
        """;

    private const string Joins =
        $"""
        JOIN users f ON f.id = r.from_id
        JOIN users t ON t.id = r.to_id
        LEFT JOIN LATERAL (
            SELECT m.id, m.seq, m.type, m.sender_id, m.text, m.deleted_at, m.created_at
            FROM messages m
            JOIN participants p ON p.conversation_id = r.conversation_id AND p.user_id = v.user_id AND {VisibilitySql.TakesPart}
            WHERE m.conversation_id = r.conversation_id AND m.seq = r.seq AND m.created_at = r.message_at
                AND {VisibilitySql.Seen}
            LIMIT 1
        ) m ON true
        """;

    private const string OfViewer = $"FROM message_requests r CROSS JOIN (SELECT @UserId::text AS user_id) v {Joins}";

    private const string Page =
        $"""
        AND r.id < @Before AND (@Status::text IS NULL OR {StatusShown} = @Status)
        ORDER BY r.id DESC
        LIMIT @Take
        """;

    // Index: ix_message_requests_to, pk_users, pk_participants, pk_messages, pk_message_hidden.
    private const string ReceivedSql = $"SELECT {Columns} {OfViewer} WHERE r.to_id = @UserId {Page}";

    // Index: ix_message_requests_from, pk_users, pk_participants, pk_messages, pk_message_hidden.
    private const string SentSql = $"SELECT {Columns} {OfViewer} WHERE r.from_id = @UserId {Page}";

    // Index: pk_message_requests.
    private const string FindSql = $"SELECT {Columns} {OfViewer} WHERE r.id = @Id AND @UserId IN (r.from_id, r.to_id)";

    // Index: pk_message_requests.
    internal const string SomeSql =
        $"""
        SELECT {Columns}
        FROM unnest(@RequestHearers::text[], @Requests::uuid[]) AS v (user_id, request_id)
        JOIN message_requests r ON r.id = v.request_id AND v.user_id IN (r.from_id, r.to_id)
        {Joins}
        """;

    // Index: pk_participants.
    private const string OtherSql =
        """
        SELECT user_id
        FROM participants
        WHERE conversation_id = @ConversationId AND user_id <> @UserId
        """;

    // What was sent or opened once never is unsent again. Index: pk_conversations, pk_participants.
    private const string IsUnsentSql =
        """
        SELECT EXISTS (
            SELECT
            FROM conversations c
            JOIN participants p ON p.conversation_id = c.id AND p.user_id = @UserId
            WHERE c.id = @ConversationId AND c.request = 'unsent')
        """;

    // Under the pair's lock and the conversation's. Another open one of the pair clashes in uq_message_requests_pair.
    private const string AddSql =
        """
        INSERT INTO message_requests (id, conversation_id, pair, from_id, to_id, status, seq, message_at, created_at, answered_at)
        VALUES (@Id, @ConversationId, @Pair, @FromId, @ToId, @Status, @Seq, @MessageAt, @Now, @AnsweredAt)
        """;

    /// <summary>
    /// Whether the user takes part in a direct conversation in which nothing was said yet, by two who may have to be asked.
    /// </summary>
    public Task<bool> IsUnsentAsync(ConversationId id, UserId user, CancellationToken ct) =>
        session.QuerySingleAsync<bool>(IsUnsentSql, new { ConversationId = id.Value, UserId = user.Value }, ct);

    /// <summary>The same as <see cref="PairStore.TransactAsync"/>, for first messages in a direct conversation.</summary>
    public Task<T> TransactAsync<T>(ConversationId id, Func<Task<T>> use, CancellationToken ct) =>
        pairs.TransactAsync(id.ToString(), use, ct);

    /// <summary>Locks the two of a direct conversation, before the conversation itself.</summary>
    public async Task<Relationship> LockPairAsync(ConversationId id, UserId user, CancellationToken ct)
    {
        var other = await session.QuerySingleOrDefaultAsync<UserId?>(OtherSql, new { ConversationId = id.Value, UserId = user.Value }, ct)
            ?? throw CommonErrors.NotFound();
        return await pairs.LockAsync(user, other, ct);
    }

    /// <summary>
    /// Writes the first message that has come to wait, and tells its receiver. Under the pair's lock and the conversation's.
    /// </summary>
    public async Task AddAsync(MessageView message, FirstMessage first, Relationship pair, CancellationToken ct)
    {
        var to = pair.OtherThan(first.From);
        await session.ExecuteAsync(
            AddSql,
            new
            {
                first.Id,
                ConversationId = message.ConversationId.Value,
                Pair = NewConversation.DirectKey(first.From, to, context: null),
                FromId = first.From.Value,
                ToId = to.Value,
                Status = first.Status.ToString().ToLowerInvariant(),
                message.Seq,
                MessageAt = message.CreatedAt,
                pair.Now,
                first.AnsweredAt,
            },
            ct);
        await pairs.SaveAsync(pair, ct);
    }

    public async Task<MessageRequestView?> FindAsync(Guid id, UserId user, CancellationToken ct) =>
        (await session.QuerySingleOrDefaultAsync<Row>(FindSql, new { Id = id, UserId = user.Value }, ct))?.ToView();

    public async Task<IReadOnlyList<MessageRequestView>> ListAsync(
        UserId user, bool sent, RequestStatus? status, Guid before, int take, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(
            sent ? SentSql : ReceivedSql,
            new { UserId = user.Value, Before = before, Status = status?.ToString().ToLowerInvariant(), Take = take },
            ct);
        return [.. rows.Select(row => row.ToView())];
    }

    internal sealed record Row(
        string ViewerId, Guid Id, ConversationId ConversationId, UserId FromId, string? FromDisplayName, string? FromAvatarUrl, UserId ToId,
        string? ToDisplayName, string? ToAvatarUrl, RequestStatus Status, MessageId? MessageId, long? Seq, MessageType? Type,
        UserId? SenderId, string? Text,
        bool? Deleted, Instant? MessageAt, Instant CreatedAt, Instant? AnsweredAt)
    {
        public MessageRequestView ToView() => new(
            Id, ConversationId, new SenderView(FromId, FromDisplayName, FromAvatarUrl), new SenderView(ToId, ToDisplayName, ToAvatarUrl),
            Status,
            MessageId is { } message
                ? new MessagePreview(message, Seq!.Value, Type!.Value, SenderId, Text, Deleted!.Value, MessageAt!.Value) : null,
            CreatedAt, AnsweredAt);
    }
}
