using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>Where one's pointers stand and what is unread behind them.</summary>
public sealed record PointerState(long LastReadSeq, long LastDeliveredSeq, long UnreadCount, long MentionCount);

/// <summary>What events of a moved pointer tell.</summary>
public sealed record PointerTold(UserId UserId, long Seq, Instant At);

/// <summary>Moves somebody's read or delivered pointer forward. Holds one's own place alone, never the conversation.</summary>
/// <param name="reads">Whether it was read; else it was received.</param>
/// <param name="seq">Null for the newest message; beyond it, the newest.</param>
public sealed class PointerChange(ConversationId conversationId, UserId user, bool reads, long? seq)
    : Change<PointerState>(conversationId, user)
{
    internal override void Ask(ChangeSet set) => set.Pointers.Ask(ConversationId, user, seq);

    protected override PointerState DecideOn(ChangeSet set)
    {
        var conversation = set.Get(ConversationId);
        var (pointers, newestSender) = set.Pointers.Find(ConversationId, user) ?? throw CommonErrors.NotFound();
        // The newest may have been sent by a change before.
        var sender = set.Sends.SenderOf(ConversationId, Math.Min(seq ?? long.MaxValue, conversation.LastSeq)) ?? newestSender;
        var delivered = pointers.LastDeliveredSeq;
        if (reads ? pointers.Read(seq, conversation.LastSeq) : pointers.Deliver(seq, conversation.LastSeq))
        {
            set.Add(new PointerMove(
                conversation, user, pointers, pointers.LastReadSeq, pointers.LastDeliveredSeq, reads, pointers.LastDeliveredSeq > delivered, sender,
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

/// <summary>Pointers of one place that have moved and are to be written.</summary>
/// <param name="Reads">Whether the read pointer is among them.</param>
/// <param name="Delivered">Whether the delivered pointer is among them.</param>
/// <param name="Sender">Of a large group, who wrote the newest message of those that are marked.</param>
public sealed record PointerMove(
    Conversation Conversation, UserId UserId, Pointers Pointers, long ReadSeq, long DeliveredSeq, bool Reads, bool Delivered, UserId? Sender,
    Instant At)
{
    public ConversationId ConversationId => Conversation.Id;

    /// <summary>
    /// What is told of it. Where the policy tells no receipts, and between two who are parted, one's own devices alone learn of it; of who
    /// hides how far one has read, the others learn that it was received.
    /// </summary>
    public IEnumerable<(IEvent Fact, string? Values)> Events()
    {
        var others = Conversation.HearersOf(UserId, Sender);
        if (!Reads)
        {
            foreach (var audience in WithOwn(others))
                yield return (new MessageDelivered(ConversationId, audience), Values(DeliveredSeq));
            yield break;
        }
        // What was received beyond what was read is told by itself; else that it was read says so, to those who may hear that.
        var isBeyond = DeliveredSeq > ReadSeq;
        if (Delivered && (isBeyond || !Pointers.ShowsReads))
        {
            foreach (var audience in isBeyond ? WithOwn(others) : others)
                yield return (new MessageDelivered(ConversationId, audience), Values(DeliveredSeq));
        }
        foreach (var audience in WithOwn(Pointers.ShowsReads ? others : []))
            yield return (new MessageRead(ConversationId, audience), Values(ReadSeq));
        yield return (new UnreadChanged(ConversationId, UserId), null);
    }

    private IReadOnlyList<UserId?> WithOwn(IReadOnlyList<UserId?> others) => others.Contains(null) ? others : [.. others, UserId];

    private string Values(long seq) => JsonSerializer.Serialize(new PointerTold(UserId, seq, At), MessagingJson.Options);
}
