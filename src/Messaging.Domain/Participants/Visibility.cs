namespace Messaging.Domain.Participants;

/// <summary>Which of a conversation's messages somebody who takes part may see.</summary>
/// <param name="ClearedSeq">Up to here nothing is this one's to see: said before one came, where that counts, or cleared.</param>
public readonly record struct Visibility(long ClearedSeq)
{
    /// <summary>Whether a message is this one's to see, unless deleted for oneself.</summary>
    public bool Reaches(long seq) => seq > ClearedSeq;

    /// <summary>Whether a message is this one's to see.</summary>
    /// <param name="isHidden">Whether this one has deleted it for oneself.</param>
    public bool Shows(long seq, bool isHidden) => Reaches(seq) && !isHidden;
}
