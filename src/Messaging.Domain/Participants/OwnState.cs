using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>What somebody has made of a conversation for oneself.</summary>
/// <param name="ClearedSeq">Messages up to this seq are not this one's to see.</param>
/// <param name="HiddenSeq">The newest message when it was taken out of the inbox; null where it never was.</param>
/// <param name="ArchivedSeq">The newest message when it was archived; null where it is not.</param>
/// <param name="ShowsReads">Whether others may learn how far this one has read.</param>
/// <param name="Preferences">What no rule looks into: a JSON object as text; null for nothing.</param>
public sealed record OwnState(
    long ClearedSeq, long? HiddenSeq, long? ArchivedSeq, Instant? StarredAt, Instant? MutedUntil, bool ShowsReads, string? Preferences)
{
    public bool IsMuted(Instant now) => MutedUntil > now;

    /// <summary>Whether it is put away: the next message brings it back, unless it is muted.</summary>
    public bool IsArchived(long newest, Instant now) => ArchivedSeq is { } seq && (newest <= seq || IsMuted(now));

    /// <summary>Whether it is out of one's inbox: the next message brings it back.</summary>
    public bool IsHidden(long newest) => newest <= HiddenSeq;

    /// <summary>Empties one's own view up to the newest message. What was cleared stays so.</summary>
    public OwnState Clear(long newest, bool leavesInbox) => this with
    {
        ClearedSeq = Math.Max(ClearedSeq, newest),
        HiddenSeq = leavesInbox ? Math.Max(HiddenSeq ?? 0, newest) : HiddenSeq,
    };

    /// <summary>Puts it away until the message after the newest one, or brings it back.</summary>
    public OwnState Archive(bool archived, long newest) => this with { ArchivedSeq = archived ? newest : null };

    /// <summary>Stars it, or no more; what is starred keeps its place among those that are.</summary>
    public OwnState Star(bool starred, Instant now) => this with { StarredAt = starred ? StarredAt ?? now : null };
}
