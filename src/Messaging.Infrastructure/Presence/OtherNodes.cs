namespace Messaging.Infrastructure.Presence;

/// <summary>
/// Who is connected to the other nodes, according to each of them. Not thread-safe: the owner's lock guards it.
/// </summary>
/// <param name="place">Told of a user and a node: away there or not, or there no more (null).</param>
internal sealed class OtherNodes(TimeProvider time, Action<string, string, bool?> place)
{
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);

    public void Take(string node, PresenceSignals.Change change) => Take(node, Heard(node), change);

    /// <summary>Whether all users of a node are known.</summary>
    public bool Fits(string node, PresenceSignals.Heartbeat heartbeat) => PresenceSignals.HeartbeatOf(Heard(node).Users) == heartbeat;

    /// <summary>
    /// Takes over all users of a node once every part has arrived. If one is missing none is taken: the next heartbeat will not match.
    /// </summary>
    public void Take(string node, PresenceSignals.SnapshotPart part)
    {
        var other = Heard(node);
        if (part.Part == 0)
            other.Parts.Clear();
        if (part.Part != other.Parts.Count)
            return;
        other.Parts.Add(part.People);
        if (other.Parts.Count < part.Parts)
            return;
        var all = other.Parts.SelectMany(people => people).ToDictionary(change => change.User, StringComparer.Ordinal);
        other.Parts.Clear();
        foreach (var user in other.Users.Keys.Where(user => !all.ContainsKey(user)).ToList())
            Take(node, other, new PresenceSignals.Change(user, null));
        foreach (var change in all.Values)
            Take(node, other, change);
    }

    public void Remove(string node)
    {
        if (!nodes.Remove(node, out var other))
            return;
        foreach (var user in other.Users.Keys)
            place(user, node, null);
    }

    /// <summary>Removes nodes that have been silent for this long.</summary>
    public void RemoveSilent(TimeSpan silence)
    {
        foreach (var (node, _) in nodes.Where(pair => time.GetElapsedTime(pair.Value.HeardAt) >= silence).ToList())
            Remove(node);
    }

    private Node Heard(string node)
    {
        if (!nodes.TryGetValue(node, out var other))
            nodes[node] = other = new Node();
        other.HeardAt = time.GetTimestamp();
        return other;
    }

    private void Take(string node, Node other, PresenceSignals.Change change)
    {
        if (change.Away is { } away)
            other.Users[change.User] = away;
        else if (!other.Users.Remove(change.User))
            return;
        place(change.User, node, change.Away);
    }

    private sealed class Node
    {
        public Dictionary<string, bool> Users { get; } = new(StringComparer.Ordinal);

        /// <summary>The users of a snapshot that has not arrived completely.</summary>
        public List<IReadOnlyList<PresenceSignals.Change>> Parts { get; } = [];

        public long HeardAt { get; set; }
    }
}
