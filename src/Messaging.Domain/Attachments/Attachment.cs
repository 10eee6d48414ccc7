using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Attachments;

/// <summary>The kind of a file.</summary>
public enum AttachmentCategory
{
    Image,
    Document,
    Video,
    Audio,
    Other,
}

/// <summary>The virus scanner's verdict on a file.</summary>
public enum ScanState
{
    /// <summary>The scanner did not answer yet; nobody gets the file until it has.</summary>
    Pending,

    Clean,

    /// <summary>Never given to anybody.</summary>
    Infected,

    /// <summary>There is no scanner.</summary>
    Skipped,
}

/// <summary>
/// How far a file has come, and whose it is: its uploader's own until a message names it, then of all who may see that message. Statements
/// ask by the same rules, in SQL, which the tests hold to these.
/// </summary>
/// <param name="Seq">Of the message that it is part of, for good; null as long as none names it.</param>
/// <param name="IsStored">Whether all of it is in the storage.</param>
/// <param name="IsReleased">Whether the message that it was part of is deleted.</param>
public sealed record Attachment(UserId UploaderId, long? Seq, bool IsStored, bool IsReleased, ScanState Scan)
{
    /// <summary>Whether anybody may know of it.</summary>
    public bool IsThere => IsStored && !IsReleased;

    /// <summary>Whether its bytes are given to who may see it.</summary>
    public bool IsServed => IsThere && IsSafe(Scan);

    public static bool IsSafe(ScanState scan) => scan is ScanState.Clean or ScanState.Skipped;

    /// <summary>Whether somebody's message may name it: once, and also while the scanner has not answered.</summary>
    public bool MayBeNamedBy(UserId user) => user == UploaderId && Seq is null && IsStored && Scan is not ScanState.Infected;

    /// <summary>Whether somebody who takes part sees it.</summary>
    /// <param name="isHidden">Whether this one has deleted its message for oneself.</param>
    public bool IsSeenBy(UserId user, Visibility sight, bool isHidden) =>
        IsThere && (Seq is { } seq ? sight.Shows(seq, isHidden) : user == UploaderId);

    /// <summary>What was made before has waited too long for a message to name it, and goes.</summary>
    public static Instant ExpiredBefore(Instant now) => now - Duration.FromHours(24);
}
