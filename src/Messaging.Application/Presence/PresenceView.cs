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

/// <summary>Whether somebody is there.</summary>
/// <param name="LastSeenAt">When the last connection ended; of somebody who is connected the time of this answer; null for somebody never
/// seen.</param>
public sealed record PresenceView(UserId UserId, PresenceStatus Status, Instant? LastSeenAt);

/// <summary>Somebody who is writing, or no more.</summary>
public sealed record TypingView(UserId UserId, bool Active);
