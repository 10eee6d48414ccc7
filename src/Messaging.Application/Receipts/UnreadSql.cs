namespace Messaging.Application.Receipts;

/// <summary>
/// The one definition of unread, for statements that name the conversation <c>c</c> and the viewer's participation <c>p</c>:
/// messages after the read pointer but the gaps (system and deleted ones). One's own never count, since sending moves the pointer.
/// </summary>
public static class UnreadSql
{
    // Index: pk_message_gaps, from the pointer on.
    public const string Messages =
        """
        (c.last_seq - p.last_read_seq - (
            SELECT count(*)
            FROM message_gaps g
            WHERE g.conversation_id = p.conversation_id AND g.seq > p.last_read_seq))
        """;

    // Index: pk_mentions, from the pointer on.
    public const string Mentions =
        """
        (SELECT count(*)
         FROM mentions n
         WHERE n.conversation_id = p.conversation_id AND n.user_id = p.user_id AND n.seq > p.last_read_seq)
        """;

    /// <summary>Each conversation of <c>@UserId</c> with something after the pointer, archived ones left out. Index: ix_participants_inbox.</summary>
    public const string Rows =
        $"""
        SELECT p.conversation_id, coalesce(p.muted_until > now(), false) AS muted, {Messages} AS messages, {Mentions} AS mentions
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.user_id = @UserId AND p.left_at IS NULL AND p.activity_day IS NOT NULL
            AND c.archived_at IS NULL AND c.last_seq > p.last_read_seq
        """;

    /// <summary>The badge over rows named <c>r</c>, in the order of <see cref="UnreadTotal"/>'s members.</summary>
    public const string Totals =
        """
        count(*) FILTER (WHERE NOT r.muted AND r.messages > 0) AS conversations,
        coalesce(sum(r.messages) FILTER (WHERE NOT r.muted), 0)::bigint AS messages,
        coalesce(sum(r.mentions) FILTER (WHERE NOT r.muted), 0)::bigint AS mentions,
        count(*) FILTER (WHERE r.muted AND r.messages > 0) AS muted_conversations,
        coalesce(sum(r.messages) FILTER (WHERE r.muted), 0)::bigint AS muted_messages,
        coalesce(sum(r.mentions) FILTER (WHERE r.muted), 0)::bigint AS muted_mentions
        """;

    /// <summary>
    /// The payload of <c>unread:changed</c> after <c>@UserId</c> read up to the pointer in <c>at</c>; to be joined as <c>FROM at,
    /// LATERAL (…)</c> where <c>at</c> has last_seq and pointer. The numbers are of this statement's snapshot; lastSeq says which.
    /// </summary>
    public const string ChangedPayload =
        $"""
        SELECT jsonb_build_object(
            'conversationId', @ConversationId, 'lastReadSeq', at.pointer, 'lastSeq', at.last_seq,
            'unreadCount', now_unread.messages, 'mentionCount', now_unread.mentions,
            'total', jsonb_build_object(
                'conversations', t.conversations, 'messages', t.messages, 'mentions', t.mentions,
                'muted', jsonb_build_object(
                    'conversations', t.muted_conversations, 'messages', t.muted_messages, 'mentions', t.muted_mentions))) AS payload
        FROM (
            SELECT at.last_seq - at.pointer - (
                    SELECT count(*) FROM message_gaps g WHERE g.conversation_id = @ConversationId AND g.seq > at.pointer) AS messages,
                (SELECT count(*)
                 FROM mentions n
                 WHERE n.conversation_id = @ConversationId AND n.user_id = @UserId AND n.seq > at.pointer) AS mentions
        ) now_unread,
        LATERAL (
            SELECT {Totals}
            FROM (
                SELECT o.muted, o.messages, o.mentions
                FROM ({Rows}) o
                WHERE o.conversation_id <> @ConversationId
                UNION ALL
                SELECT coalesce(p.muted_until > now(), false), now_unread.messages, now_unread.mentions
                FROM participants p
                JOIN conversations c ON c.id = p.conversation_id
                WHERE p.conversation_id = @ConversationId AND p.user_id = @UserId AND c.archived_at IS NULL
            ) r
        ) t
        """;
}

/// <summary>Badge totals over a user's conversations.</summary>
public sealed record UnreadTotal(long Conversations, long Messages, long Mentions, UnreadCounts Muted);

/// <summary>How many conversations have something unread, how many messages, how many mentions of oneself.</summary>
public sealed record UnreadCounts(long Conversations, long Messages, long Mentions);
