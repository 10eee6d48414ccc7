namespace Messaging.Domain.Participants;

/// <summary>How far somebody has read and received in a conversation. Neither falls here, nor passes the newest message.</summary>
/// <param name="isPending">Whether this one has not accepted the conversation: nothing is marked until then.</param>
/// <param name="showsReads">Whether others may learn from this one how far was read.</param>
public sealed class Pointers(long lastReadSeq, long lastDeliveredSeq, bool isPending, bool showsReads)
{
    public long LastReadSeq { get; private set; } = lastReadSeq;

    public long LastDeliveredSeq { get; private set; } = lastDeliveredSeq;

    public bool ShowsReads { get; set; } = showsReads;

    /// <summary>Reads up to a seq, and so receives up to there; true where the pointer moved.</summary>
    /// <param name="seq">Null for the newest; beyond it, the newest.</param>
    public bool Read(long? seq, long newest)
    {
        var target = Math.Min(seq ?? newest, newest);
        if (isPending || target <= LastReadSeq)
            return false;
        (LastReadSeq, LastDeliveredSeq) = (target, Math.Max(LastDeliveredSeq, target));
        return true;
    }

    /// <summary>Receives up to a seq; true where the pointer moved.</summary>
    /// <param name="seq">Null for the newest; beyond it, the newest.</param>
    public bool Deliver(long? seq, long newest)
    {
        var target = Math.Min(seq ?? newest, newest);
        if (isPending || target <= LastDeliveredSeq)
            return false;
        LastDeliveredSeq = target;
        return true;
    }
}
