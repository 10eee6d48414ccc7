using Messaging.Application.Messages;
using Messaging.Application.Participants;

namespace Messaging.Application.Receipts;

/// <summary>
/// The one definition of unread, for statements that name the conversation <c>c</c> and the viewer's membership <c>p</c>: visible messages
/// after the read pointer, without the gaps (system and deleted messages). The viewer's own messages never count: sending moves the
/// pointer, and those after a pointer that was moved back are gaps of this viewer.
/// </summary>
public static class UnreadSql
{
    /// <summary>The seq up to which nothing is unread.</summary>
    public const string Pointer = $"greatest(p.last_read_seq, {VisibilitySql.Start})";

    // Index: pk_message_gaps and pk_participant_gaps, from the pointer on.
    public const string Messages =
        $"""
        CASE WHEN c.last_seq > {Pointer} THEN c.last_seq - {Pointer} - (
            SELECT count(*)
            FROM message_gaps g
            WHERE g.conversation_id = p.conversation_id AND g.seq > {Pointer}) - {OwnGaps}
        ELSE 0 END
        """;

    // Mentions of the viewer and of everyone; a message has one or the other. Messages that do not count as unread are left out.
    // Index: pk_mentions, from the pointer on; pk_participant_gaps.
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

    // The viewer's own deleted messages are already gaps for everyone.
    private const string OwnGaps =
        $"""
        CASE WHEN p.has_gaps THEN (
            SELECT count(*)
            FROM participant_gaps o
            WHERE o.conversation_id = p.conversation_id AND o.user_id = p.user_id AND o.seq > {Pointer}
                AND NOT EXISTS (SELECT FROM message_gaps g WHERE g.conversation_id = o.conversation_id AND g.seq = o.seq))
        ELSE 0 END
        """;

    /// <summary>
    /// Each conversation of a user <c>u</c> with messages after the pointer, except archived ones. Index: ix_participants_inbox.
    /// </summary>
    public const string Rows =
        $"""
        SELECT p.conversation_id, {OwnStateSql.Muted} AS muted, {Messages} AS messages, {Mentions} AS mentions
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.user_id = u.id AND p.left_at IS NULL AND NOT p.pending AND p.activity_day IS NOT NULL
            AND c.archived_at IS NULL AND NOT {OwnStateSql.Archived} AND c.last_seq > {Pointer}
        """;

    /// <summary>The badge of a user <c>u</c>, as an <see cref="UnreadTotalRow"/>.</summary>
    public const string Totals =
        $"""
        SELECT count(*) FILTER (WHERE NOT r.muted AND r.messages > 0) AS conversations,
            coalesce(sum(r.messages) FILTER (WHERE NOT r.muted), 0)::bigint AS messages,
            coalesce(sum(r.mentions) FILTER (WHERE NOT r.muted), 0)::bigint AS mentions,
            count(*) FILTER (WHERE r.muted AND r.messages > 0) AS muted_conversations,
            coalesce(sum(r.messages) FILTER (WHERE r.muted), 0)::bigint AS muted_messages,
            coalesce(sum(r.mentions) FILTER (WHERE r.muted), 0)::bigint AS muted_mentions
        FROM ({Rows}) r
        """;
}

/// <summary>Badge totals over a user's conversations.</summary>
public sealed record UnreadTotal(long Conversations, long Messages, long Mentions, UnreadCounts Muted);

/// <summary>Numbers of conversations with unread messages, of unread messages, and of unread mentions of the user.</summary>
public sealed record UnreadCounts(long Conversations, long Messages, long Mentions);

/// <summary>A user's row of <see cref="UnreadSql.Totals"/>.</summary>
internal sealed record UnreadTotalRow(
    string UserId, long Conversations, long Messages, long Mentions, long MutedConversations, long MutedMessages, long MutedMentions)
{
    public UnreadTotal ToTotal() =>
        new(Conversations, Messages, Mentions, new UnreadCounts(MutedConversations, MutedMessages, MutedMentions));
}
