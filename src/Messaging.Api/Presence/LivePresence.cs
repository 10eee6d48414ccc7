using Messaging.Api.Realtime;
using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Microsoft.AspNetCore.SignalR;
using NodaTime;

namespace Messaging.Api.Presence;

/// <summary>
/// Who is there, in the whole cluster, and who on this node watches them. Every node tells the others what changes among its own
/// connections, and every few seconds a digest of them, by which the others see that they missed something; then they ask for all of it.
/// </summary>
public sealed class LivePresence : ILiveReceiver
{
    /// <summary>A connection that comes back within this time has not been away.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>How often last seen is written for one user, at most.</summary>
    public static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(5);

    /// <summary>A node that says nothing for this long is gone, with all its users.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Person> people = new(StringComparer.Ordinal);
    private readonly Dictionary<LiveConnection, string> connections = [];
    private readonly Watchers watchers = new();
    private readonly Dictionary<string, OtherNode> others = new(StringComparer.Ordinal);
    private readonly IBus bus;
    private readonly TimeProvider time;
    private readonly IClock clock;
    private readonly HashSet<string> doubtful = new(StringComparer.Ordinal);
    private long beatAt;
    private long noted;
    private bool allIsAskedFor;
    private bool hasLeft;

    public LivePresence(IBus bus, TimeProvider time, IClock clock)
    {
        (this.bus, this.time, this.clock) = (bus, time, clock);
        bus.Subscribe<PresenceWords.Change>(PresenceWords.ChangeTopic, HearChange);
        bus.Subscribe<PresenceWords.Beat>(PresenceWords.BeatTopic, HearBeat);
        bus.Subscribe<PresenceWords.Some>(PresenceWords.SomeTopic, HearSome);
        bus.Subscribe<PresenceWords.Ask>(PresenceWords.AskTopic, HearAsk);
        bus.Subscribe<PresenceWords.Goodbye>(PresenceWords.GoodbyeTopic, HearGoodbye);
        bus.OnConnected(GreetOthers);
    }

    /// <summary>How many people are known of, for checks that it does not grow.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return people.Count;
        }
    }

    public void Connect(string user, LiveConnection connection)
    {
        lock (gate)
        {
            connections[connection] = user;
            PersonOf(user).Connections[connection] = false;
            UpdateOwn(user);
        }
    }

    public void Disconnect(LiveConnection connection)
    {
        lock (gate)
        {
            if (!connections.Remove(connection, out var user))
                return;
            watchers.Remove(connection);
            var person = people[user];
            person.Connections.Remove(connection);
            UpdateOwn(user);
            (person.EndedAt, person.OwesEnd) = (clock.GetCurrentInstant(), !person.IsHere);
        }
    }

    public void SetAway(LiveConnection connection, bool isAway)
    {
        lock (gate)
        {
            if (!connections.TryGetValue(connection, out var user))
                return;
            people[user].Connections[connection] = isAway;
            UpdateOwn(user);
        }
    }

    /// <summary>The present states of people whose last seen, as it is written, was read a moment ago.</summary>
    public IReadOnlyList<PresenceView> Of(IEnumerable<LastSeen> seen)
    {
        lock (gate)
            return [.. seen.Select(ViewOf)];
    }

    /// <summary>Rises with everything that is noted of who may know less of whom.</summary>
    public long Noted
    {
        get
        {
            lock (gate)
                return noted;
        }
    }

    /// <summary>Has the connection hear of these people, and of nobody else from now on. Nothing falls between the answer and what it hears.</summary>
    /// <param name="asOf">What <see cref="Noted"/> was before it was asked whom this one may watch: with more noted, that is asked again.</param>
    public IReadOnlyList<PresenceView> Watch(LiveConnection connection, IReadOnlyList<LastSeen> seen, long asOf)
    {
        lock (gate)
        {
            if (connections.TryGetValue(connection, out var viewer))
            {
                watchers.Replace(new WatchSet(connection, viewer, [.. seen.Select(one => one.UserId.Value)]));
                if (asOf != noted)
                    doubtful.Add(viewer);
            }
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

    /// <summary>Notes of whom others may have less to know from now on.</summary>
    public void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience)
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
        var blocked = envelope.Type == BlockChanged.Name && envelope.Says("blocked") ? envelope.NamedUser() : null;
        lock (gate)
        {
            if (blocked is not null)
                watchers.Part(user, blocked);
            doubtful.Add(user);
            noted++;
        }
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
    public IReadOnlyList<WatchSet> TakeDoubtful()
    {
        lock (gate)
        {
            if (doubtful.Count == 0)
                return [];
            WatchSet[] sets = [.. watchers.Sets.Where(set => doubtful.Contains(set.ViewerId) || set.Watched.Any(doubtful.Contains))];
            doubtful.Clear();
            return sets;
        }
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
        {
            if (watchers.Holds(set))
                watchers.Replace(set with { Watched = [.. set.Watched.Where(user => !ended.Contains(user))] });
        }
    }

    /// <summary>What time brings about; to be called several times a second.</summary>
    public void Sweep()
    {
        lock (gate)
        {
            foreach (var (node, other) in others.Where(pair => Elapsed(pair.Value.HeardAt) >= Silence).ToList())
                Drop(node, other);
            foreach (var (user, person) in people.Where(pair => pair.Value.GoneSince is not null).ToList())
                SweepGone(user, person);
            if (hasLeft)
                return;
            if (allIsAskedFor)
                TellAll();
            if (Elapsed(beatAt) >= BeatEvery)
                Beat();
        }
    }

    /// <summary>
    /// Who of this node's people is to be written down as seen: everyone who is connected and whoever went, each once a minute and by one
    /// node; and without waiting for the minute where the node stops.
    /// </summary>
    public IReadOnlyDictionary<string, Instant> TakeSeen(bool isLast = false)
    {
        lock (gate)
        {
            var (now, timestamp) = (clock.GetCurrentInstant(), time.GetTimestamp());
            foreach (var person in people.Values.Where(person => person.OwesEnd && person.Nodes.Count > 0))
                person.OwesEnd = false;
            var due = people.Where(pair => isLast ? pair.Value.IsHere || pair.Value.OwesEnd : IsDue(pair.Value)).ToList();
            foreach (var (_, person) in due)
                (person.WrittenAt, person.OwesEnd) = (timestamp, false);
            return due.ToDictionary(pair => pair.Key, pair => pair.Value.IsHere ? now : pair.Value.EndedAt, StringComparer.Ordinal);
        }
    }

    /// <summary>Has what could not be written tried again.</summary>
    public void GiveBack(IReadOnlyDictionary<string, Instant> seen)
    {
        lock (gate)
        {
            foreach (var (user, _) in seen)
            {
                if (people.TryGetValue(user, out var person))
                    (person.WrittenAt, person.OwesEnd) = (null, !person.IsHere);
            }
        }
    }

    /// <summary>Tells the other nodes that this one stops and has nobody any more.</summary>
    public void Leave()
    {
        lock (gate)
        {
            hasLeft = true;
            bus.Publish(PresenceWords.GoodbyeTopic, new PresenceWords.Goodbye());
        }
    }

    // Of somebody who is on several nodes the first of them writes.
    private bool IsDue(Person person) =>
        (person.IsHere ? person.Nodes.Keys.Min(StringComparer.Ordinal) == bus.Node : person.OwesEnd) && Elapsed(person.WrittenAt) >= WriteEvery;

    private void UpdateOwn(string user)
    {
        var person = people[user];
        bool? isAway = person.IsHere ? person.Connections.Values.All(away => away) : null;
        if (isAway == person.AwayAt(bus.Node))
            return;
        if (!hasLeft)
            bus.Publish(PresenceWords.ChangeTopic, new PresenceWords.Change(user, isAway));
        Place(user, bus.Node, isAway);
    }

    private void Place(string user, string node, bool? isAway)
    {
        var person = PersonOf(user);
        if (isAway is { } away)
            person.Nodes[node] = away;
        else
            person.Nodes.Remove(node);

        if (person.Status is PresenceStatus.Offline)
        {
            if (person.GoneSince is null)
                (person.GoneSince, person.LastSeenAt) = (time.GetTimestamp(), clock.GetCurrentInstant());
            return;
        }
        person.GoneSince = null;
        Show(user, person, person.Status);
    }

    // Somebody who is gone is remembered for as long as the time written down may be older than the one told.
    private void SweepGone(string user, Person person)
    {
        if (Elapsed(person.GoneSince) >= Grace)
            Show(user, person, PresenceStatus.Offline);
        if (!person.OwesEnd && Elapsed(person.GoneSince) >= 2 * WriteEvery && Elapsed(person.WrittenAt) >= WriteEvery)
            people.Remove(user);
    }

    private void Show(string user, Person person, PresenceStatus status)
    {
        if (status == person.Shown)
            return;
        person.Shown = status;
        var told = watchers.Of(user);
        if (told.Count == 0)
            return;
        var view = ViewOf(new LastSeen(new UserId(user), null));
        var envelope = new EphemeralEnvelope(PresenceWords.Changed, null, clock.GetCurrentInstant(), view);
        var message = new SerializedHubMessage(LiveConnections.MessageOf(envelope));
        foreach (var connection in told)
            connection.Offer(message);
    }

    private PresenceView ViewOf(LastSeen seen)
    {
        if (!people.TryGetValue(seen.UserId.Value, out var person))
            return new PresenceView(seen.UserId, PresenceStatus.Offline, seen.At);
        if (person.Shown is not PresenceStatus.Offline)
            return new PresenceView(seen.UserId, person.Shown, clock.GetCurrentInstant());
        return new PresenceView(seen.UserId, PresenceStatus.Offline, seen.At > person.LastSeenAt ? seen.At : person.LastSeenAt);
    }

    private void GreetOthers()
    {
        lock (gate)
        {
            bus.Publish(PresenceWords.AskTopic, new PresenceWords.Ask(Node: null));
            allIsAskedFor = true;
        }
    }

    private void Beat()
    {
        beatAt = time.GetTimestamp();
        bus.Publish(PresenceWords.BeatTopic, PresenceWords.Digest(Own()));
    }

    private void TellAll()
    {
        allIsAskedFor = false;
        var parts = Own().Select(pair => new PresenceWords.Change(pair.Key, pair.Value)).Chunk(PresenceWords.PartSize).ToList();
        if (parts.Count == 0)
            parts.Add([]);
        for (var i = 0; i < parts.Count; i++)
            bus.Publish(PresenceWords.SomeTopic, new PresenceWords.Some(i, parts.Count, parts[i]));
    }

    private IEnumerable<KeyValuePair<string, bool>> Own() => people.Where(pair => pair.Value.Nodes.ContainsKey(bus.Node))
        .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Nodes[bus.Node]));

    private void HearChange(string node, PresenceWords.Change change)
    {
        lock (gate)
            PlaceOther(node, Heard(node), change);
    }

    private void HearBeat(string node, PresenceWords.Beat beat)
    {
        lock (gate)
        {
            if (PresenceWords.Digest(Heard(node).Users) != beat)
                bus.Publish(PresenceWords.AskTopic, new PresenceWords.Ask(node));
        }
    }

    private void HearAsk(string node, PresenceWords.Ask ask)
    {
        lock (gate)
            allIsAskedFor |= ask.Node is null || ask.Node == bus.Node;
    }

    // All of a node's people in parts. With one missing nothing is taken over: the next digest will not fit.
    private void HearSome(string node, PresenceWords.Some some)
    {
        lock (gate)
        {
            var other = Heard(node);
            if (some.Part == 0)
                other.Parts.Clear();
            if (some.Part != other.Parts.Count)
                return;
            other.Parts.Add(some.People);
            if (other.Parts.Count < some.Parts)
                return;
            var all = other.Parts.SelectMany(part => part).ToDictionary(change => change.User, StringComparer.Ordinal);
            other.Parts.Clear();
            foreach (var user in other.Users.Keys.Where(user => !all.ContainsKey(user)).ToList())
                PlaceOther(node, other, new PresenceWords.Change(user, null));
            foreach (var change in all.Values)
                PlaceOther(node, other, change);
        }
    }

    private void HearGoodbye(string node, PresenceWords.Goodbye goodbye)
    {
        lock (gate)
        {
            if (others.TryGetValue(node, out var other))
                Drop(node, other);
        }
    }

    private OtherNode Heard(string node)
    {
        if (!others.TryGetValue(node, out var other))
            others[node] = other = new OtherNode();
        other.HeardAt = time.GetTimestamp();
        return other;
    }

    private void PlaceOther(string node, OtherNode other, PresenceWords.Change change)
    {
        if (change.Away is { } away)
            other.Users[change.User] = away;
        else if (!other.Users.Remove(change.User))
            return;
        Place(change.User, node, change.Away);
    }

    private void Drop(string node, OtherNode other)
    {
        others.Remove(node);
        foreach (var user in other.Users.Keys)
            Place(user, node, null);
    }

    private Person PersonOf(string user)
    {
        if (!people.TryGetValue(user, out var person))
            people[user] = person = new Person();
        return person;
    }

    private TimeSpan Elapsed(long? since) => since is { } start ? time.GetElapsedTime(start) : TimeSpan.MaxValue;

    private sealed class OtherNode
    {
        public Dictionary<string, bool> Users { get; } = new(StringComparer.Ordinal);

        public List<IReadOnlyList<PresenceWords.Change>> Parts { get; } = [];

        public long HeardAt { get; set; }
    }
}
