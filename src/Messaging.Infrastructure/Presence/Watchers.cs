using Messaging.Application.Events;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Infrastructure.Presence;

/// <summary>The users whom a connection watches; the identity of the set shows whether it is still the current one.</summary>
public sealed record WatchSet(ILiveConnection Connection, string ViewerId, string[] Watched);

/// <summary>
/// Which connections watch whom, and which watches have to be checked again. Not thread-safe: the owner's lock guards it.
/// </summary>
internal sealed class Watchers
{
    private readonly Dictionary<ILiveConnection, WatchSet> sets = [];
    private readonly Dictionary<string, HashSet<ILiveConnection>> byUser = new(StringComparer.Ordinal);
    private readonly HashSet<string> toRecheck = new(StringComparer.Ordinal);

    /// <summary>Rises with every event after which a user may see less of another.</summary>
    public long Revision { get; private set; }

    public IReadOnlyList<WatchSet> Sets => [.. sets.Values];

    public IReadOnlyCollection<ILiveConnection> Of(string user) => byUser.TryGetValue(user, out var connections) ? connections : [];

    /// <summary>Replaces the users whom a connection watches.</summary>
    /// <param name="asOf">The revision before reading whom the viewer may watch: if it has risen, that is checked again.</param>
    public void Replace(WatchSet set, long asOf)
    {
        Replace(set);
        if (asOf != Revision)
            toRecheck.Add(set.ViewerId);
    }

    /// <summary>Ends some watches of a set, unless the connection now watches another set.</summary>
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

    /// <summary>Whether after events of this type a user may see less of another.</summary>
    public static bool Hears(string type) =>
        type is ParticipantRemoved.Name or ConversationDeleted.Name or ContactRemoved.Name or BlockChanged.Name;

    /// <summary>Notes the users of whom others may see less from now on.</summary>
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
        // A block takes effect without reading the database.
        if (envelope.Type == BlockChanged.Name && envelope.Says("blocked") && envelope.NamedUser() is { } blocked)
            EndBetween(user, blocked);
        toRecheck.Add(user);
        Revision++;
    }

    /// <summary>The watches by or of the users noted since the last call.</summary>
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

    // The watches between the two, in both directions.
    private void EndBetween(string one, string other)
    {
        foreach (var (viewer, watched) in new[] { (one, other), (other, one) })
        {
            foreach (var set in Of(watched).Select(connection => sets[connection]).Where(set => set.ViewerId == viewer).ToList())
                Replace(set with { Watched = [.. set.Watched.Where(user => user != watched)] });
        }
    }
}
