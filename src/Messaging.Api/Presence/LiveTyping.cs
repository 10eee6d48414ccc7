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
/// when it hears no more of it.
/// </summary>
public sealed class LiveTyping
{
    /// <summary>The event that clients hear, and the topic on the bus.</summary>
    public const string Topic = "typing";

    /// <summary>More people than this who write at one moment are not told of.</summary>
    public const int MaxTypists = 50_000;

    private const int MaxWords = 10_000;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often it is told again of somebody who goes on. Below half the lifetime: whatever the pace at which a client refreshes, the
    /// next word comes before the last one has run out.
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

    public LiveTyping(LiveConnections connections, MemberCache members, IBus bus, TimeProvider time, IClock clock)
    {
        (this.connections, this.members, this.bus, this.time, this.clock) = (connections, members, bus, time, clock);
        bus.Subscribe<TypingWord>(Topic, (_, word) => Set(new ConversationId(word.ConversationId), word.UserId, word.Active));
    }

    public int Count { get; private set; }

    /// <summary>Somebody writes, or has stopped; refuses who may not write there.</summary>
    public async Task SetAsync(ConversationId id, UserId userId, bool active)
    {
        (await members.GetAsync(id, new Actor(userId))).EnsureTakesTyping(userId);
        if (Set(id, userId.Value, active))
            bus.Publish(Topic, new TypingWord(id.Value, userId.Value, active));
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
                .. typists.Where(pair => time.GetElapsedTime(pair.Value.HeardAt) < Lifetime).Select(pair => pair.Key)
                    .Where(user => now.Shows(user)
                        && (actor.UserId is not { Value: var viewer } || (user != viewer && now.Hears(viewer, user))))
                    .Order(StringComparer.Ordinal)
                    .Select(user => new TypingView(new UserId(user), Active: true)),
            ];
        }
    }

    /// <summary>Ends what was not heard of for too long; to be called several times a second.</summary>
    public void Sweep()
    {
        lock (gate)
        {
            foreach (var (id, typists) in conversations.ToList())
            {
                foreach (var user in typists.Where(pair => time.GetElapsedTime(pair.Value.HeardAt) >= Lifetime).Select(pair => pair.Key).ToList())
                    End(id, typists, user);
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

    // True when others are to be told.
    private bool Set(ConversationId id, string user, bool active)
    {
        lock (gate)
        {
            if (!conversations.TryGetValue(id, out var typists))
            {
                if (!active)
                    return false;
                conversations[id] = typists = new Dictionary<string, Typist>(StringComparer.Ordinal);
            }
            return active ? Go(id, typists, user) : typists.ContainsKey(user) && End(id, typists, user);
        }
    }

    private bool Go(ConversationId id, Dictionary<string, Typist> typists, string user)
    {
        var now = time.GetTimestamp();
        var toldAt = typists.TryGetValue(user, out var known) ? known.ToldAt : (long?)null;
        if (toldAt is null && Count >= MaxTypists)
            return false;
        var tells = toldAt is not { } last || time.GetElapsedTime(last, now) >= TellEvery;
        if (toldAt is null)
            Count++;
        typists[user] = new Typist(now, tells ? now : toldAt!.Value);
        if (tells)
            words.Writer.TryWrite(new Word(id, user, Active: true));
        return tells;
    }

    private bool End(ConversationId id, Dictionary<string, Typist> typists, string user)
    {
        typists.Remove(user);
        Count--;
        if (typists.Count == 0)
            conversations.Remove(id);
        words.Writer.TryWrite(new Word(id, user, Active: false));
        return true;
    }

    // Of somebody who was removed meanwhile, or may write no more, only the end is told.
    private void Tell(Word word, Members now)
    {
        if (word.Active && !now.Shows(word.UserId))
            return;
        var view = new TypingView(new UserId(word.UserId), word.Active);
        var envelope = new PassingEnvelope(Topic, word.ConversationId, clock.GetCurrentInstant(), view);
        connections.Tell(envelope, now.UserIds.Where(user => user != word.UserId && now.Hears(user, word.UserId)));
    }

    private readonly record struct Typist(long HeardAt, long ToldAt);

    private sealed record Word(ConversationId ConversationId, string UserId, bool Active);

    private sealed record TypingWord(Guid ConversationId, string UserId, bool Active);
}
