using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>What the other one of two is shown of somebody's pointers.</summary>
/// <param name="ReadSeq">Null where this one lets nobody see it.</param>
public sealed record ShownPointers(long? ReadSeq, long DeliveredSeq);

/// <summary>How somebody's pointers have moved while they were kept from the other one.</summary>
/// <param name="ReadSeq">Where the read pointer is; null where nothing is to be told of it.</param>
/// <param name="IsBack">Whether it has moved back.</param>
/// <param name="DeliveredSeq">Where the delivered pointer is; null where it has not moved.</param>
public sealed record UnseenMoves(UserId UserId, long? ReadSeq, bool IsBack, long? DeliveredSeq);

/// <summary>One of the two of a direct conversation, as the other one sees this one.</summary>
/// <param name="hasOpened">Whether this one has opened the conversation; else it was opened for this one.</param>
/// <param name="isPending">Whether it waits for this one to accept the first message.</param>
/// <param name="showsReads">Whether others may learn from this one how far was read.</param>
/// <param name="shown">What the other one is shown instead of the pointers; null where those are shown.</param>
public sealed class Partner(
    UserId userId, bool hasOpened, bool isPending, bool showsReads, long lastReadSeq, long lastDeliveredSeq, ShownPointers? shown)
{
    public UserId UserId { get; } = userId;

    public bool HasOpened { get; } = hasOpened;

    public bool IsPending { get; private set; } = isPending;

    public long LastReadSeq { get; private set; } = lastReadSeq;

    public long LastDeliveredSeq { get; private set; } = lastDeliveredSeq;

    public ShownPointers? Shown { get; private set; } = shown;

    /// <summary>Sent a message, which reads and receives all before it.</summary>
    public void Sent(long seq) => (LastReadSeq, LastDeliveredSeq) = (seq, seq);

    /// <summary>Keeps from the other one how the pointers move from now on.</summary>
    internal void Withhold() => Shown ??= new ShownPointers(showsReads ? LastReadSeq : null, LastDeliveredSeq);

    /// <summary>Shows the pointers to the other one again as they are.</summary>
    internal UnseenMoves Reveal()
    {
        var (readSeq, deliveredSeq) = Shown ?? new ShownPointers(LastReadSeq, LastDeliveredSeq);
        Shown = null;
        return new UnseenMoves(
            UserId, showsReads && LastReadSeq != readSeq ? LastReadSeq : null, LastReadSeq < readSeq,
            LastDeliveredSeq != deliveredSeq ? LastDeliveredSeq : null);
    }

    /// <summary>Has it wait for this one to accept, or no more.</summary>
    internal void Await(bool answer) => IsPending = answer;
}
