using System.Text.Json.Serialization;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Push;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Notifications;

public enum NotificationType
{
    Message,
    Mention,
    System,
}

/// <summary>How far a push has come.</summary>
public enum DeliveryState
{
    None,
    Pending,
    Sent,
    Failed,
    Bounced,
}

/// <summary>What a user is notified of: a mention, or all other unread messages of a conversation.</summary>
public sealed record NotificationView
{
    public required Guid Id { get; init; }

    public required NotificationType Type { get; init; }

    public required ConversationId ConversationId { get; init; }

    /// <summary>The message; of several, the newest.</summary>
    public required MessageId MessageId { get; init; }

    public required UserId? SenderId { get; init; }

    /// <summary>In the user's language.</summary>
    public required string Title { get; init; }

    /// <summary>In the user's language, with the beginning of the message as it is now.</summary>
    public required string Body { get; init; }

    /// <summary>Of how many messages it is: while it is unread, of those that are. At most 1,000.</summary>
    public required int Count { get; init; }

    /// <summary>Marked as read, or the conversation was read beyond it.</summary>
    public required bool Read { get; init; }

    /// <summary>How far the push is; <c>none</c> if there is none, such as of a muted conversation.</summary>
    public required DeliveryState Delivery { get; init; }

    public required Instant CreatedAt { get; init; }

    /// <summary>When the newest of its messages was added.</summary>
    public required Instant UpdatedAt { get; init; }

    public required Instant? ReadAt { get; init; }

    /// <summary>Whose it is; only where notifications of all users are listed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UserId? UserId { get; init; }

    /// <summary>What became of it on each device; only where notifications of all users are listed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PushView>? Pushes { get; init; }
}

/// <summary>A notification with all that its words are made of: <see cref="NotificationSql.Columns"/>.</summary>
public sealed record NotificationRow
{
    public required Guid Id { get; init; }

    public required UserId UserId { get; init; }

    public required NotificationType Type { get; init; }

    public required ConversationId ConversationId { get; init; }

    public required MessageId MessageId { get; init; }

    public required int Count { get; init; }

    public required DeliveryState Delivery { get; init; }

    public bool Sound { get; init; }

    public required Instant CreatedAt { get; init; }

    public required Instant RaisedAt { get; init; }

    public Instant? ReadAt { get; init; }

    public required ConversationType ConversationType { get; init; }

    public string? Name { get; init; }

    public UserId? SenderId { get; init; }

    public string? SenderName { get; init; }

    public MessageType? MessageType { get; init; }

    /// <summary>Whether the user may see the message: its text is there only then.</summary>
    public bool IsShown { get; init; }

    public string? Preview { get; init; }

    public string? Language { get; init; }

    public NotificationView ToView(PushTexts texts)
    {
        var (title, body) = texts.Of(this);
        return new NotificationView
        {
            Id = Id,
            Type = Type,
            ConversationId = ConversationId,
            MessageId = MessageId,
            SenderId = SenderId,
            Title = title,
            Body = body,
            Count = Count,
            Read = ReadAt is not null,
            Delivery = Delivery,
            CreatedAt = CreatedAt,
            UpdatedAt = RaisedAt,
            ReadAt = ReadAt,
        };
    }
}

/// <summary>What is read of a notification <c>n</c>, as its user may see it at that moment.</summary>
public static class NotificationSql
{
    public const string Columns =
        $"""
        n.id, n.user_id, n.type, n.conversation_id, n.message_id, {Count}::integer AS count, n.delivery, n.sound, n.created_at, n.raised_at,
            CASE WHEN n.read_at IS NOT NULL THEN n.read_at WHEN p.last_read_seq >= n.seq THEN coalesce(p.last_read_at, n.raised_at) END
                AS read_at,
            c.type AS conversation_type, c.name, m.sender_id, s.display_name AS sender_name, m.type AS message_type, m.is_shown,
            CASE WHEN m.is_shown THEN m.preview END AS preview, u.language
        """;

    // The LIMITs keep the planner from beginning elsewhere than at the notifications, in their order, and from reading all of them.
    // Index: pk_users, pk_participants, pk_conversations, pk_messages, pk_message_hidden.
    public const string Joins =
        $"""
        CROSS JOIN LATERAL (
            SELECT u.language
            FROM users u
            WHERE u.id = n.user_id
            LIMIT 1
        ) u
        CROSS JOIN LATERAL (
            SELECT p.conversation_id, p.user_id, {VisibilitySql.Start} AS cleared_seq, p.has_gaps, p.last_read_seq, p.last_read_at,
                p.muted_until
            FROM participants p
            WHERE p.conversation_id = n.conversation_id AND p.user_id = n.user_id AND {VisibilitySql.Hears}
            LIMIT 1
        ) p
        CROSS JOIN LATERAL (
            SELECT c.type, c.name
            FROM conversations c
            WHERE c.id = n.conversation_id
            LIMIT 1
        ) c
        CROSS JOIN LATERAL (
            SELECT m.sender_id, m.type, {Previews.Text} AS preview, m.deleted_at IS NULL AND {VisibilitySql.Seen} AS is_shown
            FROM messages m
            WHERE m.conversation_id = n.conversation_id AND m.seq = n.seq AND m.created_at = n.sent_at
            LIMIT 1
        ) m
        LEFT JOIN LATERAL (
            SELECT s.display_name
            FROM users s
            WHERE s.id = m.sender_id
            LIMIT 1
        ) s ON true
        """;

    /// <summary>Reads those whose ids are <c>@Notifications</c>; what is asked of them follows.</summary>
    // Index: pk_notifications, and those of the joins.
    public const string OfIds =
        $"""
        SELECT {Columns}
        FROM unnest(@Notifications::uuid[]) AS k (id)
        JOIN notifications n ON n.id = k.id
        {Joins}
        """;

    /// <summary>
    /// Whether there is something left to notify of: the user still takes part, and has neither cleared the conversation, nor is the only
    /// message gone.
    /// </summary>
    public const string Stands = $"{VisibilitySql.NoticeReached} AND (m.is_shown OR {Count} > 1)";

    /// <summary>Whether it is unread.</summary>
    public const string Unread = "n.read_at IS NULL AND p.last_read_seq < n.seq";

    // Of how many messages it is. Of what was read of an unread one the rest counts.
    private const string Count =
        $"""
        (
            SELECT sum(upper(r) - lower(r))
            FROM unnest(CASE WHEN {Unread} THEN n.seqs * int8multirange(int8range(greatest(p.last_read_seq, p.cleared_seq) + 1, NULL))
                ELSE n.seqs END) AS r)
        """;

    /// <summary>
    /// Whether one that is due may still be pushed: not if it was read meanwhile, the conversation muted, or the sender blocked.
    /// </summary>
    // Index: pk_blocks.
    public const string Wanted =
        $"""
        {Stands} AND {Unread} AND NOT {OwnStateSql.Muted}
            AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = n.user_id AND b.blocked_id = m.sender_id)
        """;
}
