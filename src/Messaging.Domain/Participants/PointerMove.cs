using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>What is told of pointers that have moved.</summary>
/// <param name="Seq">Where the pointer stands; null where counts alone are told.</param>
/// <param name="MarksUnread">
/// Whether it says that a message was marked as unread, which has its place among the events of the conversation.
/// </param>
public readonly record struct PointerFact(IEvent Event, long? Seq, bool MarksUnread = false);

/// <summary>Pointers of one place that have moved.</summary>
/// <param name="Reads">Whether the read pointer has moved forward.</param>
/// <param name="Receives">Whether the delivered pointer has moved forward.</param>
/// <param name="Author">Who wrote the newest message of those that are marked; null for the service, and but in a large group.</param>
/// <param name="MarksUnread">Whether a message was marked as unread: the read pointer stands before it, wherever it was.</param>
public sealed record PointerMove(
    Conversation Conversation, UserId UserId, Pointers Pointers, long ReadSeq, long DeliveredSeq, bool Reads, bool Receives, UserId? Author,
    Instant At, bool MarksUnread = false)
{
    public ConversationId ConversationId => Conversation.Id;

    /// <summary>
    /// What is told of it. Where the policy tells no receipts, and between two who are parted, one's own devices alone learn of it; of who
    /// hides how far one has read, the others learn that it was received.
    /// </summary>
    public IEnumerable<PointerFact> Facts()
    {
        var others = Conversation.HearersOf(UserId, Author);
        var readers = Pointers.ShowsReads ? others : [];
        // What was received beyond what was read is told by itself; else that it was read says so, to those who may hear that.
        var isBeyond = !Reads || DeliveredSeq > ReadSeq;
        if (Receives && (isBeyond || !Pointers.ShowsReads))
        {
            foreach (var audience in isBeyond ? WithOwn(others) : others)
                yield return new(new MessageDelivered(ConversationId, audience), DeliveredSeq);
        }
        // Where everybody hears of it, they hear that it was marked as unread; in a large group the author alone waits for how far one has
        // come.
        var all = readers.Contains(null);
        foreach (var audience in !Reads ? [] : !MarksUnread ? WithOwn(readers) : all ? [] : readers)
            yield return new(new MessageRead(ConversationId, audience), ReadSeq);
        if (MarksUnread)
            yield return new(new MessageRead(ConversationId, all ? null : UserId), ReadSeq, MarksUnread: true);
        if (Reads || MarksUnread)
            yield return new(new UnreadChanged(ConversationId, UserId), Seq: null, MarksUnread);
    }

    private IReadOnlyList<UserId?> WithOwn(IReadOnlyList<UserId?> others) => others.Contains(null) ? others : [.. others, UserId];
}
