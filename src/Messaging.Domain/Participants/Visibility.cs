namespace Messaging.Domain.Participants;

/// <summary>Which messages of a conversation a participant may see.</summary>
/// <param name="ClearedSeq">Messages up to this seq are hidden: sent before joining, if the policy hides those, or cleared.</param>
public readonly record struct Visibility(long ClearedSeq)
{
    /// <summary>Whether a message is visible, unless deleted only for this participant.</summary>
    public bool Reaches(long seq) => seq > ClearedSeq;

    /// <summary>Whether a message is visible to this participant.</summary>
    /// <param name="isHidden">Whether this participant has deleted it only for themselves.</param>
    public bool Shows(long seq, bool isHidden) => Reaches(seq) && !isHidden;
}
