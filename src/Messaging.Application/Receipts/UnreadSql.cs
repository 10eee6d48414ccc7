namespace Messaging.Application.Receipts;

/// <summary>
/// The one definition of unread, for statements that name the conversation <c>c</c> and the viewer's participation <c>p</c>:
/// messages after the read pointer that one may see, but the gaps (system and deleted ones). One's own never count: sending moves the
/// pointer, and those behind a pointer that was moved back are gaps of one's own.
/// </summary>
public static class UnreadSql
{
    /// <summary>The seq up to which nothing is unread.</summary>
    public const string Pointer = "greatest(p.last_read_seq, p.cleared_seq)";

    /// <summary>Whether one has muted the conversation just now.</summary>
    public const string Muted = "coalesce(p.muted_until > now(), false)";

    /// <summary>Whether one has archived the conversation: the next message brings it back, unless it is muted.</summary>
    public const string Archived = $"coalesce(c.last_seq <= p.archived_seq OR (p.archived_seq IS NOT NULL AND {Muted}), false)";

    // Index: pk_message_gaps and pk_participant_gaps, from the pointer on.
    public const string Messages =
        $"""
        CASE WHEN c.last_seq > {Pointer} THEN c.last_seq - {Pointer} - (
            SELECT count(*)
            FROM message_gaps g
            WHERE g.conversation_id = p.conversation_id AND g.seq > {Pointer}) - {OwnGaps}
        ELSE 0 END
        """;

    // Those of oneself and those of everybody, of which a message has one or the other; what does not count as unread counts no mention
    // either. Index: pk_mentions, from the pointer on; pk_participant_gaps.
    public const string Mentions =
        $"""
        CASE WHEN c.last_seq > {Pointer} THEN (
            SELECT count(*)
            FROM mentions n
            WHERE n.conversation_id = p.conversation_id AND n.user_id IN (p.user_id, '@all') AND n.seq > {Pointer}
                AND NOT (p.has_gaps AND EXISTS (
                    SELECT FROM participant_gaps o
                    WHERE o.conversation_id = n.conversation_id AND o.user_id = p.user_id AND o.seq = n.seq)))
        ELSE 0 END
        """;

    // One's own that were deleted are gaps for everyone already.
    private const string OwnGaps =
        $"""
        CASE WHEN p.has_gaps THEN (
            SELECT count(*)
            FROM participant_gaps o
            WHERE o.conversation_id = p.conversation_id AND o.user_id = p.user_id AND o.seq > {Pointer}
                AND NOT EXISTS (SELECT FROM message_gaps g WHERE g.conversation_id = o.conversation_id AND g.seq = o.seq))
        ELSE 0 END
        """;

    /// <summary>Each conversation of <c>@UserId</c> with something after the pointer, archived ones left out. Index: ix_participants_inbox.</summary>
    public const string Rows =
        $"""
        SELECT p.conversation_id, {Muted} AS muted, {Messages} AS messages, {Mentions} AS mentions
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.user_id = @UserId AND p.left_at IS NULL AND NOT p.pending AND p.activity_day IS NOT NULL
            AND c.archived_at IS NULL AND NOT {Archived} AND c.last_seq > {Pointer}
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
    /// The payload of <c>unread:changed</c> of <c>@UserId</c>; to be joined as <c>FROM at, LATERAL (…)</c> where <c>at</c> has
    /// pointer, the read pointer as the statement leaves it, and last_seq, the conversation's. The numbers are of this statement's
    /// snapshot: lastSeq and countedAt, the time of the conversation's newest event, say which.
    /// </summary>
    public const string ChangedPayload =
        $"""
        SELECT jsonb_build_object(
            'conversationId', @ConversationId, 'lastReadSeq', at.pointer, 'lastSeq', at.last_seq,
            'unreadCount', one.messages, 'mentionCount', one.mentions,
            'countedAt', to_char(one.counted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'total', jsonb_build_object(
                'conversations', t.conversations, 'messages', t.messages, 'mentions', t.mentions,
                'muted', jsonb_build_object(
                    'conversations', t.muted_conversations, 'messages', t.muted_messages, 'mentions', t.muted_mentions))) AS payload
        FROM (
            SELECT {Muted} AS muted, {Messages} AS messages, {Mentions} AS mentions,
                c.archived_at IS NULL AND NOT p.pending AND NOT {Archived} AS counts, c.counted_at
            FROM (
                SELECT s.conversation_id, s.user_id, s.cleared_seq, s.archived_seq, s.muted_until, s.pending, s.has_gaps, at.pointer AS last_read_seq
                FROM participants s
                WHERE s.conversation_id = @ConversationId AND s.user_id = @UserId
            ) p
            JOIN (
                SELECT s.archived_at, at.last_seq, s.last_event_at AS counted_at
                FROM conversations s
                WHERE s.id = @ConversationId
            ) c ON true
        ) one,
        LATERAL (
            SELECT {Totals}
            FROM (
                SELECT o.muted, o.messages, o.mentions
                FROM ({Rows}) o
                WHERE o.conversation_id <> @ConversationId
                UNION ALL
                SELECT one.muted, one.messages, one.mentions
                WHERE one.counts
            ) r
        ) t
        """;
}

/// <summary>Badge totals over a user's conversations.</summary>
public sealed record UnreadTotal(long Conversations, long Messages, long Mentions, UnreadCounts Muted);

/// <summary>How many conversations have something unread, how many messages, how many mentions of oneself.</summary>
public sealed record UnreadCounts(long Conversations, long Messages, long Mentions);
