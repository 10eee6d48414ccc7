using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>The pointers that the other user of a direct conversation sees.</summary>
/// <param name="ReadSeq">Null if the user hides receipts.</param>
public sealed record ShownPointers(long? ReadSeq, long DeliveredSeq);

/// <summary>How a user's pointers moved while the other user could not see them.</summary>
/// <param name="ReadSeq">The current read pointer; null if there is nothing to announce.</param>
/// <param name="IsBack">Whether it has moved back.</param>
/// <param name="DeliveredSeq">The current delivered pointer; null if it has not moved.</param>
public sealed record UnseenMoves(UserId UserId, long? ReadSeq, bool IsBack, long? DeliveredSeq);

/// <summary>One of the two users of a direct conversation, as the other one sees them.</summary>
/// <param name="hasOpened">Whether this user opened the conversation; otherwise it was opened for them.</param>
/// <param name="isPending">Whether this user has yet to accept the first message.</param>
/// <param name="showsReads">Whether this user shares read receipts.</param>
/// <param name="shown">The frozen pointers that the other user sees; null if they see the current ones.</param>
public sealed class Partner(
    UserId userId, bool hasOpened, bool isPending, bool showsReads, long lastReadSeq, long lastDeliveredSeq, ShownPointers? shown)
{
    public UserId UserId { get; } = userId;

    public bool HasOpened { get; } = hasOpened;

    public bool IsPending { get; private set; } = isPending;

    public long LastReadSeq { get; private set; } = lastReadSeq;

    public long LastDeliveredSeq { get; private set; } = lastDeliveredSeq;

    public ShownPointers? Shown { get; private set; } = shown;

    /// <summary>Records a sent message, which marks all before it as read and delivered.</summary>
    public void Sent(long seq) => (LastReadSeq, LastDeliveredSeq) = (seq, seq);

    /// <summary>Freezes the pointers that the other user sees.</summary>
    internal void Withhold() => Shown ??= new ShownPointers(showsReads ? LastReadSeq : null, LastDeliveredSeq);

    /// <summary>Shows the other user the current pointers again.</summary>
    internal UnseenMoves Reveal()
    {
        var (readSeq, deliveredSeq) = Shown ?? new ShownPointers(LastReadSeq, LastDeliveredSeq);
        Shown = null;
        return new UnseenMoves(
            UserId, showsReads && LastReadSeq != readSeq ? LastReadSeq : null, LastReadSeq < readSeq,
            LastDeliveredSeq != deliveredSeq ? LastDeliveredSeq : null);
    }

    /// <summary>Sets whether this user has yet to accept.</summary>
    internal void Await(bool answer) => IsPending = answer;
}
