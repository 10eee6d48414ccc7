using System.Text.Json.Serialization;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>What an event of unread counts keeps of the moment; the counts are those of when it is told.</summary>
public sealed record UnreadValues
{
    /// <summary>Whether one's read pointer moved back.</summary>
    public bool MarkedUnread { get; init; }
}

/// <summary>What is unread for somebody in a conversation, and over all.</summary>
/// <param name="LastSeq">The newest message that the counts know of.</param>
/// <param name="CountedAt">The time of the conversation's newest event that the counts know of.</param>
/// <param name="MarkedUnread">True where the read pointer moved back, else absent.</param>
public sealed record UnreadState(
    ConversationId ConversationId, long LastReadSeq, long LastSeq, long UnreadCount, long MentionCount, Instant CountedAt,
    UnreadTotal Total,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? MarkedUnread);

/// <summary>
/// Counts what is unread when it is told, in one snapshot with the pointer, the newest message and the time that it counts up to. So two
/// changes at once cannot leave a number behind that knows of one of them alone: whichever is told last knows of both.
/// </summary>
public sealed class UnreadEventSource : IEventSource
{
    // Index: pk_participants, pk_conversations; from the pointer on pk_message_gaps, pk_participant_gaps and pk_mentions.
    private const string CountsSql =
        $"""
        SELECT p.conversation_id, p.user_id, p.last_read_seq, c.last_seq, {UnreadSql.Messages} AS unread_count,
            {UnreadSql.Mentions} AS mention_count,
            c.last_event_at AS counted_at
        FROM unnest(@CountedConversations::uuid[], @CountedUsers::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL AND NOT p.pending
        JOIN conversations c ON c.id = k.conversation_id
        """;

    // Index: as for the badge.
    private const string TotalsSql =
        $"""
        SELECT u.id AS user_id, total.*
        FROM unnest(@BadgesOf::text[]) AS u (id)
        CROSS JOIN LATERAL ({UnreadSql.Totals}) total
        """;

    public IReadOnlyCollection<string> Types { get; } = [UnreadChanged.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var own = rows.Select(row => (Conversation: row.ConversationId!.Value, User: row.UserId!)).Distinct().ToList();
        return new(
            CountsSql + ";" + TotalsSql,
            new
            {
                CountedConversations = own.Select(one => one.Conversation).ToArray(),
                CountedUsers = own.Select(one => one.User).ToArray(),
                BadgesOf = own.Select(one => one.User).Distinct().ToArray(),
            },
            async grid =>
            {
                var counts = (await grid.ReadAsync<CountRow>()).ToDictionary(row => (row.ConversationId, row.UserId));
                var totals = (await grid.ReadAsync<UnreadTotalRow>()).ToDictionary(row => row.UserId, row => row.ToTotal());
                return row => counts.TryGetValue((row.ConversationId!.Value, row.UserId!), out var count)
                    ? count.ToState(totals[row.UserId!], row.Values<UnreadValues>().MarkedUnread)
                    : null;
            });
    }

    private sealed record CountRow(
        Guid ConversationId, string UserId, long LastReadSeq, long LastSeq, long UnreadCount, long MentionCount, Instant CountedAt)
    {
        public UnreadState ToState(UnreadTotal total, bool markedUnread) => new(
            new ConversationId(ConversationId), LastReadSeq, LastSeq, UnreadCount, MentionCount, CountedAt, total,
            markedUnread ? true : null);
    }
}
