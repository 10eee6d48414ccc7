namespace Messaging.Infrastructure.Presence;

/// <summary>What nodes tell each other about presence.</summary>
public static class PresenceSignals
{
    /// <summary>The event that clients receive.</summary>
    public const string EventName = "presence:changed";

    // The previous release runs beside this one and knows these names.
    public const string ChangeTopic = "presence";
    public const string HeartbeatTopic = "presence-beat";
    public const string SnapshotTopic = "presence-some";
    public const string SnapshotRequestTopic = "presence-ask";
    public const string NodeLeftTopic = "presence-goodbye";

    /// <summary>Users in one part of a snapshot: fits the bus with the longest ids.</summary>
    public const int PartSize = 60;

    private const ulong FnvBasis = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;

    /// <summary>The number of users and a hash of their ids, in any order.</summary>
    public static Heartbeat HeartbeatOf(IEnumerable<KeyValuePair<string, bool>> users)
    {
        var (count, sum) = (0, 0UL);
        foreach (var (user, isAway) in users)
        {
            var hash = isAway ? FnvBasis : ~FnvBasis;
            foreach (var c in user)
                hash = unchecked((hash ^ c) * FnvPrime);
            sum = unchecked(sum + hash);
            count++;
        }
        return new Heartbeat(count, sum);
    }

    /// <summary>A user connected to the node, became away there, or is no longer connected (null).</summary>
    public sealed record Change(string User, bool? Away);

    /// <summary>A heartbeat of the node, with a digest of its users.</summary>
    public sealed record Heartbeat(int Count, ulong Hash);

    /// <summary>One part of all users of the node.</summary>
    public sealed record SnapshotPart(int Part, int Parts, IReadOnlyList<Change> People);

    /// <summary>Asks a node, or every node, for all its users.</summary>
    public sealed record SnapshotRequest(string? Node);

    /// <summary>The node stops and has no users any more.</summary>
    public sealed record NodeLeft;
}
