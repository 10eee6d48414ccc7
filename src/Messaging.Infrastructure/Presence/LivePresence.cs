using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>
/// Who is there, in the whole cluster, and who on this node watches them. Every node tells the others what changes among its own
/// connections, and every few seconds a digest of them, by which the others see that they missed something; then they ask for all of it.
/// </summary>
public sealed class LivePresence : ILiveReceiver
{
    /// <summary>A connection that comes back within this time has not been away.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>How often last seen is saved for one user, at most.</summary>
    public static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(5);

    /// <summary>A node that says nothing for this long is gone, with all its users.</summary>
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

    /// <summary>How many users are known of, for checks that it does not grow.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return users.Count;
        }
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

    /// <summary>The present states of users whose last seen, as it is saved, was read a moment ago.</summary>
    public IReadOnlyList<PresenceView> Of(IEnumerable<LastSeen> seen)
    {
        lock (gate)
            return [.. seen.Select(ViewOf)];
    }

    /// <summary>Rises with every event after which somebody may know less of somebody.</summary>
    public long Revision
    {
        get
        {
            lock (gate)
                return watchers.Revision;
        }
    }

    /// <summary>
    /// Has the connection hear of these users, and of nobody else from now on. Nothing falls between the answer and what it hears.
    /// </summary>
    /// <param name="asOf">The <see cref="Revision"/> before it was read whom this one may watch: with a newer one that is checked
    /// again.</param>
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

    /// <summary>Nothing follows from events that were missed but a watch that ends a minute later.</summary>
    public void Close(IReadOnlyCollection<string> audience)
    {
    }

    /// <inheritdoc cref="Close"/>
    public void CloseAll()
    {
    }

    /// <summary>What is watched from here by or of those about whom something was noted since the last time.</summary>
    public IReadOnlyList<WatchSet> TakeToRecheck()
    {
        lock (gate)
            return watchers.TakeToRecheck();
    }

    /// <summary>All that is watched from here, as of now.</summary>
    public IReadOnlyList<WatchSet> WatchSets()
    {
        lock (gate)
            return watchers.Sets;
    }

    /// <summary>Ends some of the watches of a set, unless the connection watches another set by now.</summary>
    public void EndWatches(WatchSet set, IReadOnlySet<string> ended)
    {
        lock (gate)
            watchers.End(set, ended);
    }

    /// <summary>What time brings about; to be called several times a second.</summary>
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
    /// Whose last seen this node is to save: that of everyone who is connected and of whoever went, each once a minute and by one node; and
    /// without waiting for the minute where the node stops.
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

    /// <summary>Has what could not be saved tried again.</summary>
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

    /// <summary>Tells the other nodes that this one stops and has nobody any more.</summary>
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

    // Of somebody who is on several nodes the first of them saves.
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

    // Somebody who is gone is remembered for as long as the time that is saved may be older than the one told.
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
