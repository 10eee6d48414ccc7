using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Events;
using Messaging.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Messaging.Application.Tests.Events;

public sealed class FeedReaderTests
{
    private LogRecorder logs = null!;
    private FeedDatabase feed = null!;
    private Listeners listeners = null!;
    private Listeners others = null!;
    private ILoggerFactory loggers = null!;
    private Running reader = null!;
    private Source source = null!;

    [SetUp]
    public async Task StartAsync()
    {
        feed = await FeedDatabase.StartAsync();
        (listeners, others, logs) = (new Listeners(), new Listeners { HasListeners = false }, new LogRecorder());
        loggers = LoggerFactory.Create(logging => logging.AddProvider(logs));
        await feed.DrainAsync();
        reader = await Running.StartAsync(new FeedReader(
            feed.Direct, feed.Moved, feed.Events, new EventRenderer([source = new Source()]), [listeners, others],
            loggers.CreateLogger<FeedReader>())
        {
            MostPlaces = 3,
        });
    }

    [TearDown]
    public async Task StopAsync()
    {
        await reader.DisposeAsync();
        await feed.DisposeAsync();
        loggers.Dispose();
    }

    [Test]
    public async Task Each_event_goes_to_those_who_take_part_or_to_the_one_it_is_for()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        listeners.Come("ada", "bob");
        await feed.AppendAsync(conversation);
        await feed.AppendForAsync("eve");
        await feed.DrainAsync();

        var heard = await HeardAsync(2);

        Assert.That(heard[0].Audience, Is.EquivalentTo((string[])["ada", "bob"]));
        Assert.That((heard[0].Envelope.Type, heard[0].Envelope.ConversationId!.Value.Value), Is.EqualTo(("test:event", conversation)));
        Assert.That(heard[1].Audience, Is.EqualTo((string[])["eve"]));
    }

    [Test]
    public async Task Nobody_hears_what_was_sent_after_they_were_removed()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        listeners.Come("ada", "bob");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();
        await HeardAsync(1);

        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = now() WHERE user_id = 'bob'");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(2))[1].Audience, Is.EqualTo((string[])["ada"]));
    }

    [Test]
    public async Task Somebody_who_left_hears_of_no_event_of_their_own_but_the_leaving()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        listeners.Come("ada", "bob");
        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = now() WHERE user_id = 'bob'");
        foreach (var (user, type) in new[] { ("bob", "message:read"), ("bob", "participant:removed"), ("ada", "message:read") })
        {
            await feed.Slices.ExecuteAsync(
                "INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload) "
                    + "VALUES (clock_timestamp(), @Id, @User, @Type, '{}')",
                new { Id = conversation, User = user, Type = type });
        }
        await feed.DrainAsync();

        var heard = (await HeardAsync(2)).Select(e => $"{e.Envelope.Type} {e.Audience.Single()}");

        Assert.That(heard, Is.EqualTo(new[] { "participant:removed bob", "message:read ada" }));
    }

    [Test]
    public async Task Events_that_happened_while_nobody_listened_are_skipped()
    {
        listeners.HasListeners = false;
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();
        await PassedOverAsync();

        listeners.HasListeners = true;
        await feed.AppendForAsync("bob");
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["bob"]));
    }

    [Test]
    public async Task A_broken_connection_costs_no_event()
    {
        await feed.Slices.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await feed.AppendForAsync("ada");
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        Assert.That(await HeardAsync(2), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_new_epoch_and_a_feed_that_became_shorter_close_everybody()
    {
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();
        await HeardAsync(1);

        await feed.Slices.ExecuteAsync("UPDATE feed_state SET epoch = epoch + 1");
        await Eventually.HoldsAsync(() => Task.FromResult(listeners.Closed == 1), "closed for the epoch");
        await feed.Slices.ExecuteAsync("UPDATE feed_state SET last_position = 0");
        await Eventually.HoldsAsync(() => Task.FromResult(listeners.Closed == 2), "closed for the positions");
    }

    [Test]
    public async Task An_event_that_a_receiver_cannot_take_costs_that_receivers_audience_and_nobody_else()
    {
        listeners.Refuses = "eve";
        await feed.AppendForAsync("eve");
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["ada"]));
        Assert.That(listeners.ClosedFor, Is.EqualTo((string[])["eve"]));
        Assert.That(others.Heard.Select(heard => heard.Audience.Single()), Is.EqualTo((string[])["eve", "ada"]));
        Assert.That(listeners.Closed + others.Closed + others.ClosedFor.Count, Is.Zero);
    }

    [Test]
    public async Task An_event_that_a_receiver_cannot_take_is_counted_and_logged_as_an_error_without_its_content()
    {
        long counted = 0;
        using var metrics = new MeterListener();
        metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == FeedReader.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        metrics.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tags.Contains(new KeyValuePair<string, object?>("type", "test:poison")))
                Interlocked.Add(ref counted, count);
        });
        metrics.Start();
        listeners.Refuses = "eve";
        await feed.Slices.ExecuteAsync(
            "INSERT INTO outbox (occurred_at, user_id, type, payload) "
                + "VALUES (now(), 'eve', 'test:poison', '{\"text\": \"a-secret-text\"}')");
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();
        await HeardAsync(1);

        Assert.That(counted, Is.EqualTo(1));
        Assert.That(logs.Lines, Has.One.StartsWith("Error").And.One.Contains("test:poison"));
        Assert.That(logs.Lines, Has.None.Contains("a-secret-text"));
    }

    [Test]
    public async Task A_reader_that_fell_behind_what_is_kept_says_so_closes_everybody_and_goes_on()
    {
        await feed.Slices.ExecuteAsync("UPDATE feed_state SET last_position = last_position + 3, expired_position = last_position + 3");
        await Eventually.HoldsAsync(() => Task.FromResult(listeners.Closed == 1), "closed for what is missing");
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["ada"]));
        Assert.That(logs.Lines, Has.One.StartsWith("Warning").And.One.Contains("does not go on from"));
    }

    [Test]
    public async Task Nothing_is_made_of_what_nobody_hears_here()
    {
        listeners.Only = others.Only = "bob";
        var (theirs, his) = (await feed.ConversationAsync("ada", "eve"), await feed.ConversationAsync("ada", "bob"));
        listeners.Come("bob");
        foreach (var id in new[] { theirs, his })
            await MadeAsync(id, "{}");
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Envelope.ConversationId!.Value.Value, Is.EqualTo(his));
        Assert.That(source.Made, Is.EqualTo(1));
    }

    [Test]
    public async Task An_event_that_cannot_be_made_costs_its_audience_is_logged_and_the_feed_goes_on()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        listeners.Come("ada", "bob");
        await MadeAsync(conversation, """{"poison": "a-secret-text"}""");
        await MadeAsync(conversation, "{}");
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EquivalentTo((string[])["ada", "bob"]));
        Assert.That(listeners.ClosedFor, Is.EquivalentTo((string[])["ada", "bob"]));
        Assert.That(logs.Lines, Has.Some.StartsWith("Error").And.Some.Contains("test:made").And.None.Contains("a-secret-text"));
        Assert.That(source.Made, Is.EqualTo(2));
    }

    [Test]
    public async Task Somebody_who_comes_in_hears_what_follows()
    {
        var conversation = await feed.ConversationAsync("bob");
        await AskedAsync("ada");
        await JoinAsync(conversation, "ada", hearer: "ada");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(2))[1].Audience, Is.EqualTo((string[])["ada"]));
    }

    [Test]
    public async Task Those_with_whom_a_conversation_begins_hear_of_it()
    {
        await AskedAsync("ada", "bob", "eve");
        var conversation = await feed.ConversationAsync("ada", "bob");
        await CreatedAsync(conversation, hearer: null);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EquivalentTo((string[])["ada", "bob"]));
    }

    [Test]
    public async Task Somebody_who_comes_in_and_leaves_at_once_hears_nothing_of_the_others()
    {
        var conversation = await feed.ConversationAsync("bob");
        // More than are remembered, so that it is asked of each event whether she hears it.
        for (var i = 0; i < 4; i++)
            await feed.ConversationAsync("ada");
        await AskedAsync("ada", "bob");
        await JoinAsync(conversation, "ada", hearer: null);
        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = now() WHERE user_id = 'ada'");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(2)).Select(heard => heard.Audience), Is.All.EqualTo((string[])["bob"]));
    }

    [Test]
    public async Task Somebody_who_left_and_came_back_hears_again()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        listeners.Come("ada", "bob");
        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = now() WHERE user_id = 'ada'");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();
        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["bob"]));

        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = NULL WHERE user_id = 'ada'");
        await CreatedAsync(conversation, hearer: "ada");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(3))[2].Audience, Is.EquivalentTo((string[])["ada", "bob"]));
    }

    [Test]
    public async Task Who_came_in_while_nobody_listened_hears_what_follows()
    {
        var conversation = await feed.ConversationAsync("bob");
        await AskedAsync("ada");
        listeners.Go("ada");
        listeners.HasListeners = false;
        await JoinAsync(conversation, "ada", hearer: "ada");
        await feed.DrainAsync();
        await PassedOverAsync();

        listeners.Come("ada");
        listeners.HasListeners = true;
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["ada"]));
    }

    [Test]
    public async Task A_request_that_is_accepted_is_heard_from_then_on()
    {
        var conversation = await feed.ConversationAsync("ada", "bob");
        await feed.Slices.ExecuteAsync("UPDATE participants SET pending = true WHERE user_id = 'ada'");
        listeners.Come("ada", "bob");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();
        Assert.That((await HeardAsync(1))[0].Audience, Is.EqualTo((string[])["bob"]));

        await feed.Slices.ExecuteAsync("UPDATE participants SET pending = false WHERE user_id = 'ada'");
        await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(2))[1].Audience, Is.EquivalentTo((string[])["ada", "bob"]));
    }

    [Test]
    public async Task Who_is_in_more_conversations_than_are_remembered_hears_all_of_them()
    {
        var four = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => feed.ConversationAsync("ada", "bob")));
        await AskedAsync("ada", "bob");
        foreach (var conversation in four)
            await feed.AppendAsync(conversation);
        await feed.AppendAsync(await feed.ConversationAsync("eve"));
        await feed.DrainAsync();

        Assert.That((await HeardAsync(4)).Select(heard => heard.Audience), Is.All.EquivalentTo((string[])["ada", "bob"]));
    }

    [Test]
    public async Task Who_comes_into_more_conversations_than_are_remembered_hears_all_of_them()
    {
        await AskedAsync("ada");
        var four = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => feed.ConversationAsync("bob")));
        foreach (var conversation in four)
            await JoinAsync(conversation, "ada", hearer: "ada");
        foreach (var conversation in four)
            await feed.AppendAsync(conversation);
        await feed.DrainAsync();

        Assert.That((await HeardAsync(8)).Select(heard => heard.Audience), Is.All.EqualTo((string[])["ada"]));
    }

    [Test]
    public async Task A_conversation_that_somebody_left_counts_no_more_among_those_that_are_remembered()
    {
        listeners.Only = others.Only = "ada";
        var three = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => feed.ConversationAsync("ada")));
        await AskedAsync("ada");
        await feed.Slices.ExecuteAsync("UPDATE participants SET left_at = now() WHERE conversation_id = @Id", new { Id = three[0] });
        await feed.AppendAsync(three[0]);
        await feed.AppendForAsync("ada");
        await feed.DrainAsync();
        await HeardAsync(1);

        await JoinAsync(await feed.ConversationAsync("bob"), "ada", hearer: "ada");
        await MadeAsync(await feed.ConversationAsync("eve"), "{}");
        await MadeAsync(three[1], "{}");
        await feed.DrainAsync();

        await HeardAsync(3);
        Assert.That(source.Made, Is.EqualTo(1), "nothing is made of what is somebody else's");
    }

    // They listen, and the reader has read where they take part: an event of their own is told after that.
    private async Task AskedAsync(params string[] users)
    {
        listeners.Come(users);
        foreach (var user in users)
            await feed.AppendForAsync(user);
        await feed.DrainAsync();
        await HeardAsync(users.Length);
        listeners.Heard.Clear();
    }

    private async Task JoinAsync(Guid conversation, string user, string? hearer)
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO users (id, created_at, updated_at) VALUES (@User, now(), now()) ON CONFLICT DO NOTHING;
            INSERT INTO participants (conversation_id, user_id, role, joined_at) VALUES (@Id, @User, 'member', now())
            """,
            new { Id = conversation, User = user });
        await CreatedAsync(conversation, hearer);
    }

    private Task CreatedAsync(Guid conversation, string? hearer) => feed.Slices.ExecuteAsync(
        "INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload) "
            + "VALUES (clock_timestamp(), @Id, @Hearer, 'conversation:created', '{}')",
        new { Id = conversation, Hearer = hearer });

    private Task MadeAsync(Guid conversation, string payload) => feed.Slices.ExecuteAsync(
        "INSERT INTO outbox (occurred_at, conversation_id, type, payload) VALUES (clock_timestamp(), @Id, 'test:made', @Payload::jsonb)",
        new { Id = conversation, Payload = payload });

    private async Task<IReadOnlyList<(EventEnvelope Envelope, IReadOnlyCollection<string> Audience)>> HeardAsync(int count)
    {
        await Eventually.HoldsAsync(() => Task.FromResult(listeners.Heard.Count >= count), $"{count} events heard");
        return [.. listeners.Heard];
    }

    // Asked once more, the reader has come past what was there before.
    private async Task PassedOverAsync()
    {
        var asked = listeners.Asked;
        feed.Moved.Announce((await feed.EndAsync()).Position);
        await Eventually.HoldsAsync(() => Task.FromResult(listeners.Asked >= asked + 4), "passed over");
    }

    private sealed class Listeners : ILiveReceiver
    {
        private readonly ConcurrentDictionary<string, bool> users = new(StringComparer.Ordinal);
        private readonly ConcurrentQueue<string> changed = new();
        private bool hasListeners = true;

        public ConcurrentQueue<(EventEnvelope Envelope, IReadOnlyCollection<string> Audience)> Heard { get; } = new();

        public int Closed { get; private set; }

        public ConcurrentQueue<string> ClosedFor { get; } = new();

        /// <summary>Whose events it fails at, with a message that tells their data.</summary>
        public string? Refuses { get; set; }

        public int Asked { get; private set; }

        /// <summary>Who alone listens; anybody when null.</summary>
        public string? Only { get; set; }

        public bool HasListeners
        {
            get
            {
                Asked++;
                return hasListeners;
            }
            set => hasListeners = value;
        }

        public bool Has(string user) => users.ContainsKey(user);

        public IReadOnlyCollection<string> TakeChanged()
        {
            var taken = new List<string>();
            while (changed.TryDequeue(out var user))
                taken.Add(user);
            return taken;
        }

        /// <summary>They begin to listen.</summary>
        public void Come(params string[] names)
        {
            foreach (var name in names)
            {
                users[name] = true;
                changed.Enqueue(name);
            }
        }

        /// <summary>They listen no more.</summary>
        public void Go(params string[] names)
        {
            foreach (var name in names)
            {
                users.TryRemove(name, out _);
                changed.Enqueue(name);
            }
        }

        public bool Hears(string type, ConversationId? conversationId, IReadOnlyCollection<string> audience) =>
            Only is null ? audience.Count > 0 : audience.Contains(Only);

        public void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience)
        {
            if (Refuses is { } user && audience.Contains(user))
                throw new InvalidOperationException(envelope.Data.Value);
            Heard.Enqueue((envelope, audience));
        }

        public void Close(IReadOnlyCollection<string> audience)
        {
            foreach (var user in audience)
                ClosedFor.Enqueue(user);
        }

        public void CloseAll() => Closed++;
    }

    private sealed class Source : IEventSource
    {
        public int Made { get; private set; }

        public IReadOnlyCollection<string> Types { get; } = ["test:made"];

        public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader) =>
            new("", new { }, _ => Task.FromResult<Func<FeedRow, object?>>(Make));

        private object? Make(FeedRow row)
        {
            Made++;
            var payload = row.Payload!.Value.Value;
            return payload.Contains("poison", StringComparison.Ordinal) ? throw new InvalidOperationException(payload) : row.Payload;
        }
    }
}
