using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>
/// Who is online, in the whole cluster, and who on this node watches them. Every node publishes the changes of its own connections and,
/// every few seconds, a digest of them. A node whose knowledge does not match the digest has missed something and asks for all of it.
/// </summary>
public sealed class LivePresence : ILiveReceiver
{
    /// <summary>A user who reconnects within this time was not offline.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>How often last seen is saved for one user, at most.</summary>
    public static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(5);

    /// <summary>A node that is silent for this long has failed, and its users are offline.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private readonly Dictionary<string, UserPresence> users = new(StringComparer.Ordinal);
    private readonly Dictionary<ILiveConnection, string> connections = [];
    private readonly Watchers watchers = new();
    private readonly OtherNodes others;
    private readonly IBus bus;
    private readonly TimeProvider time;
    private readonly IClock clock;
    private long heartbeatAt;
    private bool snapshotIsDue;
    private bool hasLeft;

    public LivePresence(IBus bus, TimeProvider time, IClock clock)
    {
        (this.bus, this.time, this.clock) = (bus, time, clock);
        others = new OtherNodes(time, Place);
        Subscribe<PresenceSignals.Change>(PresenceSignals.ChangeTopic, others.Take);
        Subscribe<PresenceSignals.Heartbeat>(PresenceSignals.HeartbeatTopic, Check);
        Subscribe<PresenceSignals.SnapshotPart>(PresenceSignals.SnapshotTopic, others.Take);
        Subscribe<PresenceSignals.SnapshotRequest>(PresenceSignals.SnapshotRequestTopic, Note);
        Subscribe<PresenceSignals.NodeLeft>(PresenceSignals.NodeLeftTopic, (node, _) => others.Remove(node));
        bus.OnConnected(GreetOthers);
    }

    /// <summary>The number of users in memory, for checks that it does not grow.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return users.Count;
        }
    }

    /// <summary>
    /// Those of some users who are connected, to any node, and whether they are looking at one of their screens or away. Without the grace
    /// of what others are shown.
    /// </summary>
    public IReadOnlyDictionary<string, PresenceStatus> Connected(IEnumerable<string> some)
    {
        var found = new Dictionary<string, PresenceStatus>(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var user in some)
            {
                if (users.TryGetValue(user, out var presence) && presence.Nodes.Count > 0)
                    found[user] = presence.Status;
            }
        }
        return found;
    }

    public void Connect(string user, ILiveConnection connection)
    {
        lock (gate)
        {
            connections[connection] = user;
            PresenceOf(user).Connections[connection] = false;
            UpdateOwn(user);
        }
    }

    public void Disconnect(ILiveConnection connection)
    {
        lock (gate)
        {
            if (!connections.Remove(connection, out var user))
                return;
            watchers.Remove(connection);
            var presence = users[user];
            presence.Connections.Remove(connection);
            UpdateOwn(user);
            (presence.EndedAt, presence.HasUnsavedEnd) = (clock.GetCurrentInstant(), !presence.IsHere);
        }
    }

    public void SetAway(ILiveConnection connection, bool isAway)
    {
        lock (gate)
        {
            if (!connections.TryGetValue(connection, out var user))
                return;
            users[user].Connections[connection] = isAway;
            UpdateOwn(user);
        }
    }

    /// <summary>The current states of users whose saved last seen was just read.</summary>
    public IReadOnlyList<PresenceView> Of(IEnumerable<LastSeen> seen)
    {
        lock (gate)
            return [.. seen.Select(ViewOf)];
    }

    /// <summary>Rises with every event after which a user may see less of another.</summary>
    public long Revision
    {
        get
        {
            lock (gate)
                return watchers.Revision;
        }
    }

    /// <summary>
    /// Makes the connection receive changes of exactly these users. No change is lost between the answer and the first event.
    /// </summary>
    /// <param name="asOf">The <see cref="Revision"/> before reading whom to watch: if it has risen, that is checked again.</param>
    public IReadOnlyList<PresenceView> Watch(ILiveConnection connection, IReadOnlyList<LastSeen> seen, long asOf)
    {
        lock (gate)
        {
            if (connections.TryGetValue(connection, out var viewer))
                watchers.Replace(new WatchSet(connection, viewer, [.. seen.Select(one => one.UserId.Value)]), asOf);
            return [.. seen.Select(ViewOf)];
        }
    }

    public bool HasListeners
    {
        get
        {
            lock (gate)
                return watchers.Sets.Count > 0;
        }
    }

    public bool Hears(string type, ConversationId? conversationId, IReadOnlyCollection<string> audience) =>
        Watchers.Hears(type);

    public void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience)
    {
        lock (gate)
            watchers.Receive(envelope, audience);
    }

    /// <summary>Missed events only make a watch end up to a minute later.</summary>
    public void Close(IReadOnlyCollection<string> audience)
    {
    }

    /// <inheritdoc cref="Close"/>
    public void CloseAll()
    {
    }

    /// <summary>The watches on this node by or of the users noted since the last call.</summary>
    public IReadOnlyList<WatchSet> TakeToRecheck()
    {
        lock (gate)
            return watchers.TakeToRecheck();
    }

    /// <summary>All current watches on this node.</summary>
    public IReadOnlyList<WatchSet> WatchSets()
    {
        lock (gate)
            return watchers.Sets;
    }

    /// <summary>Ends some watches of a set, unless the connection now watches another set.</summary>
    public void EndWatches(WatchSet set, IReadOnlySet<string> ended)
    {
        lock (gate)
            watchers.End(set, ended);
    }

    /// <summary>Does what is due; to be called several times a second.</summary>
    public void Sweep()
    {
        lock (gate)
        {
            others.RemoveSilent(Silence);
            foreach (var (user, presence) in users.Where(pair => pair.Value.GoneSince is not null).ToList())
                SweepGone(user, presence);
            if (hasLeft)
                return;
            if (snapshotIsDue)
                PublishSnapshot();
            if (Elapsed(heartbeatAt) >= HeartbeatEvery)
                PublishHeartbeat();
        }
    }

    /// <summary>
    /// The users whose last seen this node saves now: those who are connected or have disconnected, each once a minute and by one node;
    /// when the node stops, at once.
    /// </summary>
    public IReadOnlyDictionary<string, Instant> TakeSeen(bool isLast = false)
    {
        lock (gate)
        {
            var (now, timestamp) = (clock.GetCurrentInstant(), time.GetTimestamp());
            foreach (var presence in users.Values.Where(presence => presence.HasUnsavedEnd && presence.Nodes.Count > 0))
                presence.HasUnsavedEnd = false;
            var due = users.Where(pair => isLast ? pair.Value.IsHere || pair.Value.HasUnsavedEnd : IsDue(pair.Value)).ToList();
            foreach (var (_, presence) in due)
                (presence.SavedAt, presence.HasUnsavedEnd) = (timestamp, false);
            return due.ToDictionary(pair => pair.Key, pair => pair.Value.IsHere ? now : pair.Value.EndedAt, StringComparer.Ordinal);
        }
    }

    /// <summary>Makes what could not be saved be tried again.</summary>
    public void GiveBack(IReadOnlyDictionary<string, Instant> seen)
    {
        lock (gate)
        {
            foreach (var (user, _) in seen)
            {
                if (users.TryGetValue(user, out var presence))
                    (presence.SavedAt, presence.HasUnsavedEnd) = (null, !presence.IsHere);
            }
        }
    }

    /// <summary>Tells the other nodes that this one stops and has no users any more.</summary>
    public void Leave()
    {
        lock (gate)
        {
            hasLeft = true;
            bus.Publish(PresenceSignals.NodeLeftTopic, new PresenceSignals.NodeLeft());
        }
    }

    private void Subscribe<T>(string topic, Action<string, T> hear) => bus.Subscribe<T>(topic, (node, signal) =>
    {
        lock (gate)
            hear(node, signal);
    });

    // For a user connected to several nodes, the first of them saves.
    private bool IsDue(UserPresence presence) => Elapsed(presence.SavedAt) >= SaveEvery
        && (presence.IsHere ? presence.Nodes.Keys.Min(StringComparer.Ordinal) == bus.Node : presence.HasUnsavedEnd);

    private void UpdateOwn(string user)
    {
        var presence = users[user];
        bool? isAway = presence.IsHere ? presence.Connections.Values.All(away => away) : null;
        if (isAway == presence.AwayAt(bus.Node))
            return;
        if (!hasLeft)
            bus.Publish(PresenceSignals.ChangeTopic, new PresenceSignals.Change(user, isAway));
        Place(user, bus.Node, isAway);
    }

    private void Place(string user, string node, bool? isAway)
    {
        var presence = PresenceOf(user);
        if (isAway is { } away)
            presence.Nodes[node] = away;
        else
            presence.Nodes.Remove(node);

        if (presence.Status is PresenceStatus.Offline)
        {
            if (presence.GoneSince is null)
                (presence.GoneSince, presence.LastSeenAt) = (time.GetTimestamp(), clock.GetCurrentInstant());
            return;
        }
        presence.GoneSince = null;
        Show(user, presence, presence.Status);
    }

    // An offline user is remembered as long as the saved time may be older than the one shown.
    private void SweepGone(string user, UserPresence presence)
    {
        if (Elapsed(presence.GoneSince) >= Grace)
            Show(user, presence, PresenceStatus.Offline);
        if (!presence.HasUnsavedEnd && Elapsed(presence.GoneSince) >= 2 * SaveEvery && Elapsed(presence.SavedAt) >= SaveEvery)
            users.Remove(user);
    }

    private void Show(string user, UserPresence presence, PresenceStatus status)
    {
        if (status == presence.Shown)
            return;
        presence.Shown = status;
        var watching = watchers.Of(user);
        if (watching.Count == 0)
            return;
        var view = ViewOf(new LastSeen(new UserId(user), null));
        var envelope = new EphemeralEnvelope(PresenceSignals.EventName, null, clock.GetCurrentInstant(), view);
        foreach (var connection in watching)
            connection.Push(envelope);
    }

    private PresenceView ViewOf(LastSeen seen)
    {
        if (!users.TryGetValue(seen.UserId.Value, out var presence))
            return new PresenceView(seen.UserId, PresenceStatus.Offline, seen.At);
        if (presence.Shown is not PresenceStatus.Offline)
            return new PresenceView(seen.UserId, presence.Shown, clock.GetCurrentInstant());
        return new PresenceView(seen.UserId, PresenceStatus.Offline, seen.At > presence.LastSeenAt ? seen.At : presence.LastSeenAt);
    }

    private void GreetOthers()
    {
        lock (gate)
        {
            bus.Publish(PresenceSignals.SnapshotRequestTopic, new PresenceSignals.SnapshotRequest(Node: null));
            snapshotIsDue = true;
        }
    }

    private void Check(string node, PresenceSignals.Heartbeat heartbeat)
    {
        if (!others.Fits(node, heartbeat))
            bus.Publish(PresenceSignals.SnapshotRequestTopic, new PresenceSignals.SnapshotRequest(node));
    }

    private void Note(string node, PresenceSignals.SnapshotRequest request) =>
        snapshotIsDue |= request.Node is null || request.Node == bus.Node;

    private void PublishHeartbeat()
    {
        heartbeatAt = time.GetTimestamp();
        bus.Publish(PresenceSignals.HeartbeatTopic, PresenceSignals.HeartbeatOf(Own()));
    }

    private void PublishSnapshot()
    {
        snapshotIsDue = false;
        var parts = Own().Select(pair => new PresenceSignals.Change(pair.Key, pair.Value)).Chunk(PresenceSignals.PartSize).ToList();
        if (parts.Count == 0)
            parts.Add([]);
        for (var i = 0; i < parts.Count; i++)
            bus.Publish(PresenceSignals.SnapshotTopic, new PresenceSignals.SnapshotPart(i, parts.Count, parts[i]));
    }

    private IEnumerable<KeyValuePair<string, bool>> Own() => users.Where(pair => pair.Value.Nodes.ContainsKey(bus.Node))
        .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Nodes[bus.Node]));

    private UserPresence PresenceOf(string user)
    {
        if (!users.TryGetValue(user, out var presence))
            users[user] = presence = new UserPresence();
        return presence;
    }

    private TimeSpan Elapsed(long? since) => since is { } start ? time.GetElapsedTime(start) : TimeSpan.MaxValue;
}
