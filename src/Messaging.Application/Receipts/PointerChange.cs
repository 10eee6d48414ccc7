using System.Text.Json.Serialization;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>The caller's pointers and unread counts.</summary>
public sealed record PointerState(long LastReadSeq, long LastDeliveredSeq, long UnreadCount, long MentionCount);

/// <summary>What events of a moved pointer tell.</summary>
/// <param name="MarkedUnread">True where a message was marked as unread, else absent.</param>
public sealed record PointerValues(
    UserId UserId, long Seq, Instant At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool MarkedUnread = false)
{
    /// <summary>What an event of the move keeps; null for nothing.</summary>
    public static object? Of(PointerMove move, PointerFact fact) =>
        fact.Seq is { } seq ? new PointerValues(move.UserId, seq, move.At, fact.MarksUnread)
        : fact.MarksUnread ? new UnreadValues { MarkedUnread = true }
        : null;
}

/// <summary>Moves somebody's read or delivered pointer forward. Holds one's own place alone, never the conversation.</summary>
/// <param name="reads">Whether it was read; else it was received.</param>
/// <param name="seq">Null for the newest message; beyond it, the newest.</param>
public sealed class PointerChange(ConversationId conversationId, UserId user, bool reads, long? seq)
    : Change<PointerState>(conversationId, user)
{
    internal override void Require(ChangeSet set) => set.Pointers.Require(ConversationId, user, seq);

    protected override PointerState DecideOn(ChangeSet set)
    {
        var conversation = set.Get(ConversationId);
        var pointers = (set.Memberships.Find(ConversationId, user) ?? throw CommonErrors.NotFound()).Participant.Pointers;
        var delivered = pointers.LastDeliveredSeq;
        if (reads ? pointers.Read(seq, conversation.LastSeq) : pointers.Deliver(seq, conversation.LastSeq))
        {
            set.Pointers.Add(new PointerMove(
                conversation, user, pointers, pointers.LastReadSeq, pointers.LastDeliveredSeq, reads,
                pointers.LastDeliveredSeq > delivered,
                set.AuthorOf(ConversationId, user, Math.Min(seq ?? long.MaxValue, conversation.LastSeq)),
                set.Pointers.TimeOf(ConversationId, user, Instant.Max(set.Now, conversation.LastEventAt))));
        }
        return new PointerState(pointers.LastReadSeq, pointers.LastDeliveredSeq, UnreadCount: 0, MentionCount: 0);
    }

    protected override PointerState Finish(PointerState decided, ChangeSet set)
    {
        var (messages, mentions) = set.Pointers.UnreadOf(ConversationId, user);
        return decided with { UnreadCount = messages, MentionCount = mentions };
    }
}
