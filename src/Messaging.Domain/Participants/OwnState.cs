using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>A user's own settings and state for a conversation.</summary>
/// <param name="ClearedSeq">Messages up to this seq are hidden from this user.</param>
/// <param name="HiddenSeq">The newest message when it was removed from the inbox; null if it never was.</param>
/// <param name="ArchivedSeq">The newest message when it was archived; null if it is not.</param>
/// <param name="ShowsReads">Whether this user shares read receipts.</param>
/// <param name="Preferences">Preferences that no rule uses: a JSON object as text; null for none.</param>
public sealed record OwnState(
    long ClearedSeq, long? HiddenSeq, long? ArchivedSeq, Instant? StarredAt, Instant? MutedUntil, bool ShowsReads, string? Preferences)
{
    /// <summary>The state of a new member.</summary>
    public static OwnState Unchanged { get; } = new(0, null, null, null, null, ShowsReads: true, null);

    public bool IsMuted(Instant now) => MutedUntil > now;

    /// <summary>Whether it is archived: the next message brings it back, unless it is muted.</summary>
    public bool IsArchived(long newest, Instant now) => ArchivedSeq is { } seq && (newest <= seq || IsMuted(now));

    /// <summary>Whether it is removed from the inbox: the next message brings it back.</summary>
    public bool IsHidden(long newest) => newest <= HiddenSeq;

    /// <summary>Clears the history up to the newest message. What was cleared before stays cleared.</summary>
    public OwnState Clear(long newest, bool leavesInbox) => this with
    {
        ClearedSeq = Math.Max(ClearedSeq, newest),
        HiddenSeq = leavesInbox ? Math.Max(HiddenSeq ?? 0, newest) : HiddenSeq,
    };

    /// <summary>Archives it until the next message, or unarchives it.</summary>
    public OwnState Archive(bool archived, long newest) => this with { ArchivedSeq = archived ? newest : null };

    /// <summary>Stars or unstars it; starring again keeps its place in the list.</summary>
    public OwnState Star(bool starred, Instant now) => this with { StarredAt = starred ? StarredAt ?? now : null };
}
