using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>An event about moved pointers.</summary>
/// <param name="Seq">The pointer's position; null for an event with counts only.</param>
/// <param name="MarksUnread">
/// Whether it reports a message marked as unread, which has a position among the conversation's events.
/// </param>
public readonly record struct PointerFact(IEvent Event, long? Seq, bool MarksUnread = false);

/// <summary>Moved pointers of one membership.</summary>
/// <param name="Reads">Whether the read pointer has moved forward.</param>
/// <param name="Receives">Whether the delivered pointer has moved forward.</param>
/// <param name="Author">The author of the newest of the messages; null for the service, and unless the group is large.</param>
/// <param name="MarksUnread">Whether a message was marked as unread: the read pointer is now before it, wherever it was.</param>
public sealed record PointerMove(
    Conversation Conversation, UserId UserId, Pointers Pointers, long ReadSeq, long DeliveredSeq, bool Reads, bool Receives, UserId? Author,
    Instant At, bool MarksUnread = false)
{
    public ConversationId ConversationId => Conversation.Id;

    /// <summary>
    /// The events about it. If the policy turns receipts off, and between two separated users, only the user's own devices receive them; of
    /// a user who hides receipts, the others only learn that messages were delivered.
    /// </summary>
    public IEnumerable<PointerFact> Facts()
    {
        var others = Conversation.HearersOf(UserId, Author);
        var readers = Pointers.ShowsReads ? others : [];
        // Deliveries beyond the read pointer have their own event; otherwise the read event covers them, for those who may receive it.
        var isBeyond = !Reads || DeliveredSeq > ReadSeq;
        if (Receives && (isBeyond || !Pointers.ShowsReads))
        {
            foreach (var audience in isBeyond ? WithOwn(others) : others)
                yield return new(new MessageDelivered(ConversationId, audience), DeliveredSeq);
        }
        // If everyone receives it, they receive that it was marked as unread; in a large group only the author receives receipts.
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
