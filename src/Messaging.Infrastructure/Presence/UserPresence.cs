using Messaging.Application.Events;
using Messaging.Application.Presence;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>What a node knows about a user who is online, or was a moment ago.</summary>
internal sealed class UserPresence
{
    /// <summary>The connections to this node, and which of them are away.</summary>
    public Dictionary<ILiveConnection, bool> Connections { get; } = [];

    /// <summary>The nodes to which the user is connected, and whether away there.</summary>
    public Dictionary<string, bool> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>What others are shown; delayed by the grace period.</summary>
    public PresenceStatus Shown { get; set; } = PresenceStatus.Offline;

    /// <summary>A timestamp, while the user is connected to no node.</summary>
    public long? GoneSince { get; set; }

    public Instant? LastSeenAt { get; set; }

    /// <summary>When the last connection to this node ended.</summary>
    public Instant EndedAt { get; set; }

    /// <summary>Whether it has yet to be saved.</summary>
    public bool HasUnsavedEnd { get; set; }

    /// <summary>A timestamp: when last seen was last saved.</summary>
    public long? SavedAt { get; set; }

    public bool IsHere => Connections.Count > 0;

    public PresenceStatus Status =>
        Nodes.Count == 0 ? PresenceStatus.Offline : Nodes.ContainsValue(false) ? PresenceStatus.Online : PresenceStatus.Away;

    public bool? AwayAt(string node) => Nodes.TryGetValue(node, out var away) ? away : null;
}
