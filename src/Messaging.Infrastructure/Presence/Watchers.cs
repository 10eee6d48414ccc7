using Messaging.Application.Events;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Infrastructure.Presence;

/// <summary>What a connection watches: the set itself tells whether it is still the same.</summary>
public sealed record WatchSet(ILiveConnection Connection, string ViewerId, string[] Watched);

/// <summary>
/// Which connections watch whom, and which of that is to be checked again. Not safe for several at once: its owner's lock guards it.
/// </summary>
internal sealed class Watchers
{
    private readonly Dictionary<ILiveConnection, WatchSet> sets = [];
    private readonly Dictionary<string, HashSet<ILiveConnection>> byUser = new(StringComparer.Ordinal);
    private readonly HashSet<string> toRecheck = new(StringComparer.Ordinal);

    /// <summary>Rises with every event after which somebody may know less of somebody.</summary>
    public long Revision { get; private set; }

    public IReadOnlyList<WatchSet> Sets => [.. sets.Values];

    public IReadOnlyCollection<ILiveConnection> Of(string user) => byUser.TryGetValue(user, out var connections) ? connections : [];

    /// <summary>Watches these instead of those before.</summary>
    /// <param name="asOf">The revision before it was read whom the viewer may watch: with a newer one that is checked again.</param>
    public void Replace(WatchSet set, long asOf)
    {
        Replace(set);
        if (asOf != Revision)
            toRecheck.Add(set.ViewerId);
    }

    /// <summary>Ends some of the watches of a set, unless the connection watches another set by now.</summary>
    public void End(WatchSet set, IReadOnlySet<string> ended)
    {
        if (sets.TryGetValue(set.Connection, out var current) && ReferenceEquals(current, set))
            Replace(set with { Watched = [.. set.Watched.Where(user => !ended.Contains(user))] });
    }

    public void Remove(ILiveConnection connection)
    {
        if (!sets.Remove(connection, out var set))
            return;
        foreach (var user in set.Watched)
        {
            if (byUser.TryGetValue(user, out var connections) && connections.Remove(connection) && connections.Count == 0)
                byUser.Remove(user);
        }
    }

    /// <summary>Whether events of a type may leave others less to know of somebody.</summary>
    public static bool Hears(string type) =>
        type is ParticipantRemoved.Name or ConversationDeleted.Name or ContactRemoved.Name or BlockChanged.Name;

    /// <summary>Notes of whom others may have less to know from now on.</summary>
    public void Receive(EventEnvelope envelope, IReadOnlyCollection<string> audience)
    {
        var user = envelope.Type switch
        {
            ParticipantRemoved.Name => envelope.NamedUser(),
            ConversationDeleted.Name or ContactRemoved.Name or BlockChanged.Name => audience.FirstOrDefault(),
            _ => null,
        };
        if (user is null)
            return;
        // A block waits for no look at the database.
        if (envelope.Type == BlockChanged.Name && envelope.Says("blocked") && envelope.NamedUser() is { } blocked)
            EndBetween(user, blocked);
        toRecheck.Add(user);
        Revision++;
    }

    /// <summary>What is watched by or of those about whom something was noted since the last time.</summary>
    public IReadOnlyList<WatchSet> TakeToRecheck()
    {
        if (toRecheck.Count == 0)
            return [];
        WatchSet[] found = [.. sets.Values.Where(set => toRecheck.Contains(set.ViewerId) || set.Watched.Any(toRecheck.Contains))];
        toRecheck.Clear();
        return found;
    }

    private void Replace(WatchSet set)
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

    // Whatever either of the two watches of the other.
    private void EndBetween(string one, string other)
    {
        foreach (var (viewer, watched) in new[] { (one, other), (other, one) })
        {
            foreach (var set in Of(watched).Select(connection => sets[connection]).Where(set => set.ViewerId == viewer).ToList())
                Replace(set with { Watched = [.. set.Watched.Where(user => user != watched)] });
        }
    }
}
