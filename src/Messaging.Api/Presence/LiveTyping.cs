using System.Threading.Channels;
using Messaging.Api.Realtime;
using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Api.Presence;

/// <summary>
/// Who is writing where, in the whole cluster. Every node hears of it over the bus, tells its own connections, and lets it end by itself
/// when it hears no more of it. The node that a client says it to decides what is told, and publishes only that.
/// </summary>
public sealed class LiveTyping
{
    /// <summary>The event that clients hear, and the topic on the bus.</summary>
    public const string Topic = "typing";

    /// <summary>More people than this who write at one moment, or wrote a moment ago, are not told of.</summary>
    public const int MaxTypists = 50_000;

    private const int MaxWords = 10_000;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often it is told of somebody that they write, be it that they go on or that they have stopped meanwhile: a client that says on
    /// and off all the time is heard no oftener. Below half the lifetime: whatever the pace at which a client refreshes, the next word comes
    /// before the last one has run out.
    /// </summary>
    public static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<ConversationId, Dictionary<string, Typist>> conversations = [];
    private readonly Channel<Word> words = Channel.CreateBounded<Word>(
        new BoundedChannelOptions(MaxWords) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly LiveConnections connections;
    private readonly MemberCache members;
    private readonly IBus bus;
    private readonly TimeProvider time;
    private readonly IClock clock;
    private int remembered;

    public LiveTyping(LiveConnections connections, MemberCache members, IBus bus, TimeProvider time, IClock clock)
    {
        (this.connections, this.members, this.bus, this.time, this.clock) = (connections, members, bus, time, clock);
        bus.Subscribe<TypingWord>(Topic, (_, word) => Set(new ConversationId(word.ConversationId), word.UserId, word.Active, isOurs: false));
    }

    /// <summary>How many are writing.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return conversations.Values.Sum(typists => typists.Values.Count(typist => typist.State is not State.Ended));
        }
    }

    /// <summary>Somebody writes, or has stopped; refuses who may not write there.</summary>
    public async Task SetAsync(ConversationId id, UserId userId, bool active)
    {
        (await members.GetAsync(id, new Actor(userId))).EnsureTakesTyping(userId);
        Set(id, userId.Value, active, isOurs: true);
    }

    /// <summary>The others who are writing now, by user id; refuses an actor who cannot see the conversation.</summary>
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
                    .Where(user => now.Shows(user)
                        && (actor.UserId is not { Value: var viewer } || (user != viewer && now.Hears(viewer, user))))
                    .Order(StringComparer.Ordinal)
                    .Select(user => new TypingView(new UserId(user), Active: true)),
            ];
        }
    }

    /// <summary>
    /// Ends what was not heard of for too long, tells what has waited, and forgets what nothing hangs on any more; to be called several
    /// times a second.
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

    /// <summary>Tells this node's connections, word by word; ends with the token.</summary>
    public async Task TellAsync(CancellationToken ct)
    {
        await foreach (var word in words.Reader.ReadAllAsync(ct))
        {
            if (connections.HasListeners && await members.FindAsync(word.ConversationId) is { } now)
                Tell(word, now);
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

    // What another node says it has decided to tell; where that was just told here too, two nodes have heard one user at the same moment.
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
        if (!isKnown || MayTell(typist) || (!isOurs && typist.State is not State.Told))
        {
            typists[user] = new Typist(State.Told, now, now);
            Announce(id, user, active: true, isOurs);
        }
        else
        {
            typists[user] = typist with { State = typist.State is State.Told ? State.Told : State.Waits, HeardAt = now };
        }
    }

    // When it was told last stays, so that the next begin waits.
    private void End(ConversationId id, Dictionary<string, Typist> typists, string user, bool isOurs)
    {
        if (!typists.TryGetValue(user, out var typist))
            return;
        typists[user] = typist with { State = State.Ended };
        if (typist.State is State.Told)
            Announce(id, user, active: false, isOurs);
    }

    private void Forget(ConversationId id, Dictionary<string, Typist> typists, string user)
    {
        typists.Remove(user);
        remembered--;
        if (typists.Count == 0)
            conversations.Remove(id);
    }

    // Within the gate, so that a begin and an end go out in the order in which they were decided.
    private void Announce(ConversationId id, string user, bool active, bool isOurs)
    {
        words.Writer.TryWrite(new Word(id, user, active));
        if (isOurs)
            bus.Publish(Topic, new TypingWord(id.Value, user, active));
    }

    private bool IsOver(Typist typist) => time.GetElapsedTime(typist.HeardAt) >= Lifetime;

    private bool MayTell(Typist typist) => time.GetElapsedTime(typist.ToldAt) >= TellEvery;

    // Of somebody who was removed meanwhile, or may write no more, only the end is told.
    private void Tell(Word word, Members now)
    {
        if (word.Active && !now.Shows(word.UserId))
            return;
        var view = new TypingView(new UserId(word.UserId), word.Active);
        var envelope = new EphemeralEnvelope(Topic, word.ConversationId, clock.GetCurrentInstant(), view);
        connections.Push(envelope, now.UserIds.Where(user => user != word.UserId && now.Hears(user, word.UserId)));
    }

    private enum State
    {
        /// <summary>The others here have heard that they write.</summary>
        Told,

        /// <summary>They write again, too soon after the last time that it was told.</summary>
        Waits,

        /// <summary>They write no more; known until it may be told again.</summary>
        Ended,
    }

    private readonly record struct Typist(State State, long HeardAt, long ToldAt);

    private sealed record Word(ConversationId ConversationId, string UserId, bool Active);

    private sealed record TypingWord(Guid ConversationId, string UserId, bool Active);
}
