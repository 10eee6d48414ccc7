using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Conversations;

public enum ConversationType
{
    Direct,
    Group,
}

/// <summary>Why a conversation was closed.</summary>
public enum CloseReason
{
    /// <summary>What it was about is done.</summary>
    Completed,

    Manual,

    Blocked,

    /// <summary>Nothing was said for the time that is configured.</summary>
    Inactive,

    /// <summary>Nobody is left in it.</summary>
    Empty,
}

/// <summary>How far the first contact of two strangers has come, where it has to be accepted.</summary>
public enum RequestState
{
    /// <summary>Nothing was written yet: the first message will ask.</summary>
    Unsent,

    /// <summary>The first message waits for its receiver's answer.</summary>
    Pending,
}

/// <summary>A conversation's state as it stands in the database.</summary>
/// <param name="Version">Rises with every change but messages and pointers.</param>
/// <param name="EventNo">The number of its newest event.</param>
/// <param name="LastEventAt">When that was; later events are later than this.</param>
/// <param name="LastActivityDay">The day (UTC) of its newest message; null before the first.</param>
/// <param name="Blocked">Whether one of the two of a direct conversation has blocked the other.</param>
/// <param name="Request">Null once the two may talk.</param>
public sealed record ConversationState(
    ConversationType Type,
    UserId? OwnerId,
    int ParticipantCount,
    long LastSeq,
    long Version,
    bool Closed,
    bool Archived,
    bool Blocked,
    RequestState? Request,
    ConversationPolicy Policy,
    long EventNo,
    Instant LastEventAt,
    LocalDate? LastActivityDay)
{
    /// <summary>When its newest message was sent, where that is to be told.</summary>
    public Instant LastActivityAt { get; init; }
}

/// <summary>How a conversation was closed.</summary>
/// <param name="By">Null for the service, and where nobody is left.</param>
public sealed record Closure(Instant At, UserId? By, CloseReason Reason, string? Note);

/// <summary>What a message was given when it was taken in.</summary>
/// <param name="EventNo">The number of the event that tells of it.</param>
/// <param name="FirstOfDay">Whether it is the conversation's first on its day (UTC).</param>
public readonly record struct MessagePosition(long Seq, long EventNo, Instant At, bool FirstOfDay);

/// <summary>How the newest message of a conversation is shown from now on.</summary>
/// <param name="Text">The beginning of its text.</param>
/// <param name="DeletedSeq">Its seq where it is deleted.</param>
public sealed record Preview(string? Text, long? DeletedSeq);

/// <summary>What an event was given among those of its conversation.</summary>
public readonly record struct EventPosition(long EventNo, Instant At);
