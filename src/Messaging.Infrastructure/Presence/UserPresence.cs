using Messaging.Application.Events;
using Messaging.Application.Presence;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>What a node knows of a user who is there, or was a moment ago.</summary>
internal sealed class UserPresence
{
    /// <summary>The connections here, and which of them are away.</summary>
    public Dictionary<ILiveConnection, bool> Connections { get; } = [];

    /// <summary>The nodes where this one is, and whether away there.</summary>
    public Dictionary<string, bool> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>What others are told; lags behind by the grace.</summary>
    public PresenceStatus Shown { get; set; } = PresenceStatus.Offline;

    /// <summary>A timestamp, while this one is on no node.</summary>
    public long? GoneSince { get; set; }

    public Instant? LastSeenAt { get; set; }

    /// <summary>When the last connection here ended.</summary>
    public Instant EndedAt { get; set; }

    /// <summary>Whether that is still to be saved.</summary>
    public bool HasUnsavedEnd { get; set; }

    /// <summary>A timestamp: when last seen was saved last.</summary>
    public long? SavedAt { get; set; }

    public bool IsHere => Connections.Count > 0;

    public PresenceStatus Status =>
        Nodes.Count == 0 ? PresenceStatus.Offline : Nodes.ContainsValue(false) ? PresenceStatus.Online : PresenceStatus.Away;

    public bool? AwayAt(string node) => Nodes.TryGetValue(node, out var away) ? away : null;
}
