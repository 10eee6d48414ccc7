namespace Messaging.Domain.Participants;

/// <summary>
/// How far a participant has read and received. Pointers never pass the newest message, and only move back when a message is marked as
/// unread.
/// </summary>
/// <param name="isPending">Whether this user has yet to accept the conversation: pointers do not move until then.</param>
/// <param name="showsReads">Whether this user shares read receipts.</param>
/// <param name="clearedSeq">Messages up to this seq are hidden from this user.</param>
public sealed class Pointers(long lastReadSeq, long lastDeliveredSeq, bool isPending, bool showsReads, long clearedSeq)
{
    public long LastReadSeq { get; private set; } = lastReadSeq;

    public long LastDeliveredSeq { get; private set; } = lastDeliveredSeq;

    public bool IsPending { get; internal set; } = isPending;

    public bool ShowsReads { get; private set; } = showsReads;

    public long ClearedSeq { get; private set; } = clearedSeq;

    /// <summary>Takes over a changed own state.</summary>
    public void Follow(OwnState state) => (ShowsReads, ClearedSeq) = (state.ShowsReads, state.ClearedSeq);

    /// <summary>Records a sent message, which marks all before it as read and delivered.</summary>
    public void Sent(long seq) => (LastReadSeq, LastDeliveredSeq) = (Math.Max(LastReadSeq, seq), Math.Max(LastDeliveredSeq, seq));

    /// <summary>
    /// Makes a message the first unread one, wherever the pointer is; false if it does not exist or is hidden.
    /// </summary>
    public bool MarkUnread(long seq, long newest)
    {
        if (IsPending || !new Visibility(ClearedSeq).Reaches(seq) || seq > newest)
            return false;
        (LastReadSeq, LastDeliveredSeq) = (seq - 1, Math.Max(LastDeliveredSeq, seq - 1));
        return true;
    }

    /// <summary>Marks as read, and so as delivered, up to a seq; true if the pointer moved.</summary>
    /// <param name="seq">Null for the newest; beyond it, the newest.</param>
    public bool Read(long? seq, long newest)
    {
        var target = Math.Min(seq ?? newest, newest);
        if (IsPending || target <= LastReadSeq)
            return false;
        (LastReadSeq, LastDeliveredSeq) = (target, Math.Max(LastDeliveredSeq, target));
        return true;
    }

    /// <summary>Marks as delivered up to a seq; true if the pointer moved.</summary>
    /// <param name="seq">Null for the newest; beyond it, the newest.</param>
    public bool Deliver(long? seq, long newest)
    {
        var target = Math.Min(seq ?? newest, newest);
        if (IsPending || target <= LastDeliveredSeq)
            return false;
        LastDeliveredSeq = target;
        return true;
    }
}
