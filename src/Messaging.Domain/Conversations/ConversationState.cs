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
    /// <summary>Its subject is completed.</summary>
    Completed,

    Manual,

    Blocked,

    /// <summary>No message was sent for the configured time.</summary>
    Inactive,

    /// <summary>Nobody is left in it.</summary>
    Empty,
}

/// <summary>The state of a message request between two users who do not know each other.</summary>
public enum RequestState
{
    /// <summary>Nothing has been sent: the first message will be the request.</summary>
    Unsent,

    /// <summary>The first message waits for its recipient's answer.</summary>
    Pending,
}

/// <summary>A conversation's state as it is stored.</summary>
/// <param name="Version">Rises with every change except messages and pointers.</param>
/// <param name="EventNo">The number of its newest event.</param>
/// <param name="LastEventAt">The time of that event; every later event is later than this.</param>
/// <param name="LastActivityDay">The day (UTC) of its newest message; null before the first.</param>
/// <param name="Blocked">Whether one user of a direct conversation has blocked the other.</param>
/// <param name="Request">Null if both users may write.</param>
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
    /// <summary>When its newest message was sent, if that was loaded.</summary>
    public Instant LastActivityAt { get; init; }
}

/// <summary>How a conversation was closed.</summary>
/// <param name="By">Null for the service, and if nobody is left.</param>
public sealed record Closure(Instant At, UserId? By, CloseReason Reason, string? Note);

/// <summary>The position of a new message.</summary>
/// <param name="EventNo">The number of its event.</param>
/// <param name="FirstOfDay">Whether it is the first of its day (UTC) in the conversation.</param>
public readonly record struct MessagePosition(long Seq, long EventNo, Instant At, bool FirstOfDay);

/// <summary>The preview of a conversation's newest message.</summary>
/// <param name="Text">The beginning of its text.</param>
/// <param name="DeletedSeq">Its seq if it is deleted.</param>
public sealed record Preview(string? Text, long? DeletedSeq);

/// <summary>The position of an event among those of its conversation.</summary>
public readonly record struct EventPosition(long EventNo, Instant At);
