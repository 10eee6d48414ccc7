using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Domain.Participants;

/// <summary>To how many a message has gone, and how far it has come.</summary>
public readonly record struct MessageReceipts(int Recipients, int Delivered, int Read);

/// <summary>How far one of those who take part has come, and what others are told of it.</summary>
/// <param name="ShownReadSeq">What the other one of two who are parted is told; null for nothing.</param>
/// <param name="ShowsReads">Whether others may learn how far this one has read.</param>
/// <param name="IsPending">Whether this one has not accepted the conversation.</param>
public sealed record Member(
    UserId UserId, long JoinedSeq, long ClearedSeq, long LastReadSeq, long LastDeliveredSeq, long? ShownReadSeq, long? ShownDeliveredSeq,
    bool ShowsReads, bool IsPending)
{
    /// <summary>How far the viewer is told that this one has read; null where nothing is told.</summary>
    public long? ReadTold(Conversation conversation, UserId? viewer) =>
        !conversation.Policy!.Receipts ? null
        : conversation.IsParted && UserId != viewer ? ShownReadSeq
        : ShowsReads ? LastReadSeq
        : null;

    /// <summary>The same of what this one has received.</summary>
    public long? DeliveredTold(Conversation conversation, UserId? viewer) =>
        !conversation.Policy!.Receipts ? null
        : conversation.IsParted && UserId != viewer ? ShownDeliveredSeq
        : LastDeliveredSeq;

    /// <summary>Whether a message is unread for this one, if it counts.</summary>
    public bool HasUnread(StoredMessage message) =>
        !IsPending && UserId != message.SenderId && Math.Max(LastReadSeq, ClearedSeq) < message.Seq;

    /// <summary>To how many of the members a message has gone, and how far, as the viewer is told.</summary>
    /// <param name="viewer">Null for what everybody is told.</param>
    public static MessageReceipts Count(IEnumerable<Member> members, Conversation conversation, StoredMessage message, UserId? viewer)
    {
        var (recipients, delivered, read) = (0, 0, 0);
        foreach (var member in members.Where(member => member.JoinedSeq < message.Seq && member.UserId != message.SenderId))
        {
            recipients++;
            delivered += member.DeliveredTold(conversation, viewer) >= message.Seq ? 1 : 0;
            read += member.ReadTold(conversation, viewer) >= message.Seq ? 1 : 0;
        }
        return new(recipients, delivered, read);
    }
}
