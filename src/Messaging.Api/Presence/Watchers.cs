using Messaging.Api.Realtime;

namespace Messaging.Api.Presence;

/// <summary>What a connection watches: the set itself tells whether it is still the same.</summary>
public sealed record WatchSet(LiveConnection Connection, string ViewerId, string[] Watched);

/// <summary>Which connections watch whom. Not safe for several at once: its owner's lock guards it.</summary>
internal sealed class Watchers
{
    private readonly Dictionary<LiveConnection, WatchSet> sets = [];
    private readonly Dictionary<string, HashSet<LiveConnection>> byUser = new(StringComparer.Ordinal);

    public IReadOnlyList<WatchSet> Sets => [.. sets.Values];

    public IReadOnlyCollection<LiveConnection> Of(string user) => byUser.TryGetValue(user, out var connections) ? connections : [];

    /// <summary>Whether the connection still watches this very set.</summary>
    public bool Holds(WatchSet set) => sets.TryGetValue(set.Connection, out var current) && ReferenceEquals(current, set);

    /// <summary>Watches these instead of those before.</summary>
    public void Replace(WatchSet set)
    {
        Remove(set.Connection);
        if (set.Watched.Length == 0)
            return;
        sets[set.Connection] = set;
        foreach (var user in set.Watched)
        {
            if (!byUser.TryGetValue(user, out var connections))
                byUser[user] = connections = [];
            connections.Add(set.Connection);
        }
    }

    /// <summary>Ends what either of the two watches of the other.</summary>
    public void Part(string one, string other)
    {
        foreach (var (viewer, watched) in new[] { (one, other), (other, one) })
        {
            foreach (var set in Of(watched).Select(connection => sets[connection]).Where(set => set.ViewerId == viewer).ToList())
                Replace(set with { Watched = [.. set.Watched.Where(user => user != watched)] });
        }
    }

    public void Remove(LiveConnection connection)
    {
        if (!sets.Remove(connection, out var set))
            return;
        foreach (var user in set.Watched)
        {
            if (byUser.TryGetValue(user, out var connections) && connections.Remove(connection) && connections.Count == 0)
                byUser.Remove(user);
        }
    }
}
