namespace Messaging.Domain.Participants;

/// <summary>
/// How far somebody has read and received in a conversation. Neither passes the newest message, nor falls but where one marks it unread.
/// </summary>
/// <param name="isPending">Whether this one has not accepted the conversation: nothing is marked until then.</param>
/// <param name="showsReads">Whether others may learn from this one how far was read.</param>
/// <param name="clearedSeq">Messages up to this seq are not this one's to see.</param>
public sealed class Pointers(long lastReadSeq, long lastDeliveredSeq, bool isPending, bool showsReads, long clearedSeq)
{
    public long LastReadSeq { get; private set; } = lastReadSeq;

    public long LastDeliveredSeq { get; private set; } = lastDeliveredSeq;

    public bool ShowsReads { get; private set; } = showsReads;

    public long ClearedSeq { get; private set; } = clearedSeq;

    /// <summary>Something else is so of one's own state.</summary>
    public void Follow(OwnState state) => (ShowsReads, ClearedSeq) = (state.ShowsReads, state.ClearedSeq);

    /// <summary>Sent a message, which reads and receives all before it.</summary>
    public void Sent(long seq) => (LastReadSeq, LastDeliveredSeq) = (Math.Max(LastReadSeq, seq), Math.Max(LastDeliveredSeq, seq));

    /// <summary>
    /// Makes a message the first unread one, wherever the pointer is; false for one that is not there, or not this one's to see.
    /// </summary>
    public bool MarkUnread(long seq, long newest)
    {
        if (isPending || !new Visibility(ClearedSeq).Reaches(seq) || seq > newest)
            return false;
        (LastReadSeq, LastDeliveredSeq) = (seq - 1, Math.Max(LastDeliveredSeq, seq - 1));
        return true;
    }

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
