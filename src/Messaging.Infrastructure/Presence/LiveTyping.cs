using System.Threading.Channels;
using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Infrastructure.Presence;

/// <summary>
/// Who is typing where, in the whole cluster. Every node receives signals over the bus, forwards them to its own connections, and ends the
/// typing by itself when no more arrive. The node that a client signals to decides what is forwarded, and publishes only that.
/// </summary>
public sealed class LiveTyping
{
    /// <summary>The event that clients receive.</summary>
    public const string EventName = "typing";

    /// <summary>The name of the signal on the bus.</summary>
    public const string Topic = EventName;

    /// <summary>If more users than this are typing, or were a moment ago, the others are not shown.</summary>
    public const int MaxTypists = 50_000;

    private const int MaxChanges = 10_000;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The shortest time between two signals that a user is typing, whether they continue or have stopped in between: a client that keeps
    /// switching it on and off is not forwarded more often. Less than half the lifetime, so that the next signal arrives before the
    /// previous one expires, however often a client refreshes.
    /// </summary>
    public static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<ConversationId, Dictionary<string, Typist>> conversations = [];
    private readonly Channel<Change> changes = Channel.CreateBounded<Change>(
        new BoundedChannelOptions(MaxChanges) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly ILiveConnections connections;
    private readonly MemberCache members;
    private readonly IBus bus;
    private readonly TimeProvider time;
    private readonly IClock clock;
    private int remembered;

    public LiveTyping(ILiveConnections connections, MemberCache members, IBus bus, TimeProvider time, IClock clock)
    {
        (this.connections, this.members, this.bus, this.time, this.clock) = (connections, members, bus, time, clock);
        bus.Subscribe<TypingSignal>(
            Topic, (_, signal) => Set(new ConversationId(signal.ConversationId), signal.UserId, signal.Active, isOurs: false));
    }

    /// <summary>How many users are typing.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return conversations.Values.Sum(typists => typists.Values.Count(typist => typist.State is not State.Ended));
        }
    }

    /// <summary>A user types, or has stopped; refuses a user who may not post there.</summary>
    public async Task SetAsync(ConversationId id, UserId userId, bool active)
    {
        (await members.GetAsync(id, new Actor(userId))).EnsureMayType(userId);
        Set(id, userId.Value, active, isOurs: true);
    }

    /// <summary>The other users who are typing now, by user id; refuses an actor who cannot see the conversation.</summary>
    public async Task<IReadOnlyList<TypingView>> ListAsync(ConversationId id, Actor actor)
    {
        var now = await members.GetAsync(id, actor);
        lock (gate)
        {
            if (!conversations.TryGetValue(id, out var typists))
                return [];
            return
            [
                .. typists.Where(pair => pair.Value.State is not State.Ended && !IsOver(pair.Value)).Select(pair => pair.Key)
                    .Where(user => now.ShowsTypingOf(user)
                        && (actor.UserId is not { Value: var viewer } || (user != viewer && now.Hears(viewer, user))))
                    .Order(StringComparer.Ordinal)
                    .Select(user => new TypingView(new UserId(user), Active: true)),
            ];
        }
    }

    /// <summary>
    /// Ends typing without recent signals, forwards what had to wait, and forgets what is no longer needed. To be called several times a
    /// second.
    /// </summary>
    public void Sweep()
    {
        lock (gate)
        {
            foreach (var (id, typists) in conversations.ToList())
            {
                foreach (var (user, typist) in typists.ToList())
                {
                    if (typist.State is not State.Ended && IsOver(typist))
                        End(id, typists, user, isOurs: false);
                    else if (typist.State is State.Waits && MayTell(typist))
                        Begin(id, typists, user, isOurs: true);
                    else if (typist.State is State.Ended && MayTell(typist))
                        Forget(id, typists, user);
                }
            }
        }
    }

    /// <summary>Forwards changes to this node's connections, one by one, until the token is cancelled.</summary>
    public async Task TellAsync(CancellationToken ct)
    {
        await foreach (var change in changes.Reader.ReadAllAsync(ct))
        {
            if (connections.HasListeners && await members.FindAsync(change.ConversationId) is { } now)
                Tell(change, now);
        }
    }

    private void Set(ConversationId id, string user, bool active, bool isOurs)
    {
        lock (gate)
        {
            var typists = conversations.GetValueOrDefault(id) ?? new Dictionary<string, Typist>(StringComparer.Ordinal);
            if (active)
                Begin(id, typists, user, isOurs);
            else
                End(id, typists, user, isOurs);
        }
    }

    // Another node has decided to forward this. If this node has just done so too, both received the user's signal at the same moment.
    private void Begin(ConversationId id, Dictionary<string, Typist> typists, string user, bool isOurs)
    {
        var now = time.GetTimestamp();
        var isKnown = typists.TryGetValue(user, out var typist);
        if (!isKnown)
        {
            if (remembered >= MaxTypists)
                return;
            remembered++;
            conversations[id] = typists;
        }
        if (!isKnown || MayTell(typist) || (!isOurs && typist.State is not State.Announced))
        {
            typists[user] = new Typist(State.Announced, now, now);
            Announce(id, user, active: true, isOurs);
        }
        else
        {
            typists[user] = typist with { State = typist.State is State.Announced ? State.Announced : State.Waits, HeardAt = now };
        }
    }

    // Keeps the time of the last signal, so that the next start waits.
    private void End(ConversationId id, Dictionary<string, Typist> typists, string user, bool isOurs)
    {
        if (!typists.TryGetValue(user, out var typist))
            return;
        typists[user] = typist with { State = State.Ended };
        if (typist.State is State.Announced)
            Announce(id, user, active: false, isOurs);
    }

    private void Forget(ConversationId id, Dictionary<string, Typist> typists, string user)
    {
        typists.Remove(user);
        remembered--;
        if (typists.Count == 0)
            conversations.Remove(id);
    }

    // Under the lock, so that a start and an end are published in the order in which they were decided.
    private void Announce(ConversationId id, string user, bool active, bool isOurs)
    {
        changes.Writer.TryWrite(new Change(id, user, active));
        if (isOurs)
            bus.Publish(Topic, new TypingSignal(id.Value, user, active));
    }

    private bool IsOver(Typist typist) => time.GetElapsedTime(typist.HeardAt) >= Lifetime;

    private bool MayTell(Typist typist) => time.GetElapsedTime(typist.ToldAt) >= TellEvery;

    // For a user who has been removed, or may not post any more, only the end is forwarded.
    private void Tell(Change change, Members now)
    {
        if (change.Active && !now.ShowsTypingOf(change.UserId))
            return;
        var view = new TypingView(new UserId(change.UserId), change.Active);
        var envelope = new EphemeralEnvelope(EventName, change.ConversationId, clock.GetCurrentInstant(), view);
        connections.Push(envelope, now.UserIds.Where(user => user != change.UserId && now.Hears(user, change.UserId)));
    }

    private enum State
    {
        /// <summary>The others here know that the user is typing.</summary>
        Announced,

        /// <summary>The user is typing again, too soon after the last signal.</summary>
        Waits,

        /// <summary>The user has stopped; remembered until the next signal is allowed.</summary>
        Ended,
    }

    private readonly record struct Typist(State State, long HeardAt, long ToldAt);

    private sealed record Change(ConversationId ConversationId, string UserId, bool Active);

    private sealed record TypingSignal(Guid ConversationId, string UserId, bool Active);
}
