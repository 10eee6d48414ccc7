using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Presence;

public enum PresenceStatus
{
    /// <summary>Connected, on any device.</summary>
    Online,

    /// <summary>Connected, and away on every device.</summary>
    Away,

    /// <summary>Connected nowhere, for 5 s at least.</summary>
    Offline,
}

/// <summary>Whether a user is online.</summary>
/// <param name="LastSeenAt">When the last connection ended; for an online user the time of this answer; null if never seen.</param>
public sealed record PresenceView(UserId UserId, PresenceStatus Status, Instant? LastSeenAt);

/// <summary>A user who is typing, or has stopped.</summary>
public sealed record TypingView(UserId UserId, bool Active);
