using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Messaging.Application.Bus;
using Messaging.Application.Events;
using Messaging.Application.Tests.Push;
using Messaging.Infrastructure.Bus;
using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class BusTests
{
    private readonly MovingTime clock = new();
    private TestDatabase database = null!;

    [OneTimeSetUp]
    public async Task CreateAsync() => database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);

    [OneTimeTearDown]
    public async Task DropAsync() => await database.DisposeAsync();

    [Test]
    public async Task The_others_hear_each_message_in_order_and_oneself_none()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);

        for (var i = 0; i < 2000; i++)
            one.Bus.Publish("word", new Word(i, "näh \n 😀"));

        await Eventually.HoldsAsync(() => Task.FromResult(two.Heard.Count == 2000), "all are heard");
        Assert.That(two.Heard, Is.EqualTo(Enumerable.Range(0, 2000).Select(i => (one.Bus.Node, new Word(i, "näh \n 😀")))));
        Assert.That(one.Heard, Is.Empty);
    }

    [Test]
    public async Task A_message_of_the_greatest_length_arrives_and_a_longer_one_is_refused()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);
        var overhead = """{"no":1,"text":""}""".Length;
        var longest = new Word(1, new string('x', BusLimits.MessageLength - overhead));

        one.Bus.Publish("word", longest);
        one.Bus.Publish("word", longest);

        await Eventually.HoldsAsync(() => Task.FromResult(two.Heard.Count == 2), "both are heard");
        Assert.That(
            () => one.Bus.Publish("word", longest with { Text = longest.Text + "x" }), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public async Task Readers_of_the_feed_on_other_nodes_are_woken_when_it_has_grown()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);
        using var there = new FeedSignal(two.Bus).Listen();

        new FeedSignal(one.Bus).Announce(7);

        Assert.That(await there.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None), Is.True);
    }

    [Test]
    public async Task Nodes_know_of_each_other_until_one_takes_its_leave()
    {
        // Nobody is silent for long: time stands still.
        await using var one = await Node.StartAsync(database, new ManualTime());
        var two = await Node.StartAsync(database, new ManualTime());
        await Eventually.HoldsAsync(
            () => Task.FromResult(one.Bus.Others.Contains(two.Bus.Node) && two.Bus.Others.Contains(one.Bus.Node)), "they know each other");

        await two.DisposeAsync();

        await Eventually.HoldsAsync(() => Task.FromResult(one.Bus.Others.Count == 0), "one is alone");
    }

    [Test]
    public void A_message_that_waited_for_long_is_not_sent_any_more()
    {
        var time = new ManualTime();
        var queue = new BusQueue(time, NullLogger<BusQueue>.Instance);
        queue.Publish("word", new Word(1, "old"));
        time.Advance(BusQueue.Freshness);
        queue.Publish("word", new Word(2, "new"));

        Assert.That(queue.Take(200)!.Split('\n').Skip(1), Is.EqualTo(["""word {"no":2,"text":"new"}"""]));
    }

    [Test]
    public void Who_is_silent_is_gone_unless_the_bus_itself_is_silent()
    {
        var time = new ManualTime();
        var queue = new BusQueue(time, NullLogger<BusQueue>.Instance);
        queue.Connected();
        queue.Hear(queue.Node);
        queue.Hear("other\nnode {}");
        time.Advance(BusQueue.Silence);
        Assert.That(queue.IsUp, Is.False);
        Assert.That(queue.Others, Is.EqualTo(["other"]));

        queue.Hear(queue.Node);
        Assert.That(queue.IsUp, Is.True);
        Assert.That(queue.Others, Is.Empty);
    }

    [Test]
    public async Task A_cut_connection_comes_back_and_says_so()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);
        var before = two.Connections;

        await database.RowsAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'messaging_bus' "
                + "AND pid <> pg_backend_pid()",
            _ => 0);

        await Eventually.HoldsAsync(() => Task.FromResult(two.Connections > before), "it listens again");
        await Eventually.HoldsAsync(
            () =>
            {
                one.Bus.Publish("word", new Word(2, "again"));
                return Task.FromResult(!two.Heard.IsEmpty);
            },
            "words come again");
    }

    [Test]
    public async Task Messages_that_are_not_understood_are_skipped()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);

        one.Bus.Publish("unknown", new Word(1, "x"));
        one.Bus.Publish("word", "not a word");
        one.Bus.Publish<Word?>("word", null);
        await database.RowsAsync(
            "SELECT pg_notify('messaging_bus', ''), pg_notify('messaging_bus', 'x'), pg_notify('messaging_bus', E'x\\n\\nword')", _ => 0);
        one.Bus.Publish("word", new Word(3, "good"));

        await Eventually.HoldsAsync(() => Task.FromResult(!two.Heard.IsEmpty), "the good one is heard");
        Assert.That(two.Heard.Select(heard => heard.Word.No), Is.EqualTo([3]));
    }

    [Test]
    public async Task A_forged_message_is_not_heard_though_every_role_of_the_database_may_notify()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);
        var signal = new FeedSignal(two.Bus);
        using var waker = signal.Listen();

        await database.RowsAsync(
            $$"""
            SELECT pg_notify('messaging_bus', E'{{one.Bus.Node}}\nword {"no":1,"text":"forged"}'),
                pg_notify('messaging_bus', E'{{one.Bus.Node}}\nfeed {"position":9223372036854775807}')
            """,
            _ => 0);
        one.Bus.Publish("word", new Word(2, "good"));

        await Eventually.HoldsAsync(() => Task.FromResult(!two.Heard.IsEmpty), "the good one is heard");
        Assert.That(two.Heard.Select(heard => heard.Word.No), Is.EqualTo([2]));
        Assert.That(await waker.WaitAsync(TimeSpan.Zero, CancellationToken.None), Is.False, "no position is taken from it");
    }

    [Test]
    public async Task A_message_that_somebody_sends_again_is_heard_once()
    {
        await using var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);
        await using var eavesdropper = new NpgsqlConnection(database.ConnectionString);
        await eavesdropper.OpenAsync();
        await using (var listen = new NpgsqlCommand("LISTEN messaging_bus", eavesdropper))
            await listen.ExecuteNonQueryAsync();
        var caught = new ConcurrentQueue<string>();
        eavesdropper.Notification += (_, word) => caught.Enqueue(word.Payload);

        one.Bus.Publish("word", new Word(1, "once"));
        while (!caught.Any(payload => payload.Contains("once", StringComparison.Ordinal)))
            await eavesdropper.WaitAsync();
        foreach (var payload in caught)
            await database.RowsAsync($"SELECT pg_notify('messaging_bus', '{payload}')", _ => 0);
        one.Bus.Publish("word", new Word(2, "last"));

        await Eventually.HoldsAsync(() => Task.FromResult(two.Heard.Any(heard => heard.Word.No == 2)), "the last one is heard");
        Assert.That(two.Heard.Select(heard => heard.Word.No), Is.EqualTo([1, 2]));
    }

    [Test]
    public void A_payload_of_another_key_altered_or_oversized_is_not_opened()
    {
        var whole = Encoding.UTF8.GetBytes(Seal().Seal("node\nword {}"));
        var other = Encoding.UTF8.GetBytes(Seal(key: 2).Seal("node\nword {}"));
        var longest = Encoding.UTF8.GetBytes(Seal().Seal(new string('x', 8_000)));

        Assert.That(Enumerable.Range(0, whole.Length).Select(i => Seal().Open(Altered(whole, i))), Is.All.Null);
        Assert.That(Enumerable.Range(0, whole.Length).Select(i => Seal().Open(whole.AsSpan(i + 1))), Is.All.Null);
        Assert.That((Seal().Open(other), Seal().Open(longest)), Is.EqualTo(((string?)null, (string?)null)));
        Assert.That(Seal().Open(whole), Is.EqualTo("node\nword {}"));
    }

    [Test]
    public void A_message_that_is_dropped_is_counted_by_its_reason_and_those_with_it_are_heard()
    {
        var counted = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        using var metrics = new MeterListener();
        metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == BusMetrics.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        metrics.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            counted.AddOrUpdate((string)tags[0].Value!, count, (_, before) => before + count));
        metrics.Start();
        var (seal, queue) = (Seal(), new BusQueue(TimeProvider.System, NullLogger<BusQueue>.Instance));
        var heard = new List<string>();
        queue.Subscribe<Word>("word", (_, word) => heard.Add(word.Text));
        var sent = Encoding.UTF8.GetBytes(seal.Seal("node\nword null\nword {\nword {\"text\":\"good\"}"));

        seal.Open(new byte[10_000]);
        seal.Open("node\nword {}"u8);
        queue.Hear(seal.Open(sent)!);
        seal.Open(sent);

        Assert.That(counted, Is.EquivalentTo(new Dictionary<string, long>
        {
            ["oversized"] = 1, ["unsigned"] = 1, ["malformed"] = 2, ["stale"] = 1,
        }));
        Assert.That(heard, Is.EqualTo(["good"]));
    }

    [TestCase(-11, false)]
    [TestCase(-9, true)]
    [TestCase(9, true)]
    [TestCase(11, false)]
    public void A_payload_that_was_not_sent_just_now_is_not_opened(int secondsLater, bool isOpened)
    {
        var sent = Encoding.UTF8.GetBytes(Seal().Seal("node\nword {}"));
        clock.Advance(Duration.FromSeconds(secondsLater));

        Assert.That(Seal().Open(sent), isOpened ? Is.Not.Null : Is.Null);
    }

    [Test]
    public void After_the_databases_clock_was_set_back_nodes_hear_each_other_on()
    {
        var (sender, receiver) = (Seal(), Seal());
        Assert.That(receiver.Open(Encoding.UTF8.GetBytes(sender.Seal("node\n1"))), Is.Not.Null);

        clock.Advance(Duration.FromHours(-1));

        Assert.That(
            Enumerable.Range(2, 3).Select(i => receiver.Open(Encoding.UTF8.GetBytes(sender.Seal($"node\n{i}")))),
            Is.EqualTo(["node\n2", "node\n3", "node\n4"]));
    }

    [Test]
    public async Task The_last_word_before_the_end_is_sent()
    {
        var one = await Node.StartAsync(database);
        await using var two = await Node.StartAsync(database);

        one.Bus.Publish("word", new Word(9, "goodbye"));
        await one.DisposeAsync();

        await Eventually.HoldsAsync(() => Task.FromResult(!two.Heard.IsEmpty), "the goodbye is heard");
    }

    [Test]
    public void Too_much_that_waits_drops_the_oldest()
    {
        var queue = new BusQueue(TimeProvider.System, NullLogger<BusQueue>.Instance);
        for (var i = 0; i <= BusQueue.Capacity; i++)
            queue.Publish("word", new Word(i, ""));

        Assert.That(queue.Take(200)!.Split('\n')[1], Is.EqualTo("""word {"no":1,"text":""}"""));
    }

    private BusSeal Seal(byte key = 1) => new([key, .. new byte[31]], clock);

    private static byte[] Altered(byte[] bytes, int at)
    {
        byte[] altered = [.. bytes];
        altered[at] ^= 1;
        return altered;
    }

    private sealed record Word(int No, string Text);

    private sealed class Node : IAsyncDisposable
    {
        private readonly DirectDataSource source;
        private readonly BusWorker worker;
        private int connections;

        private Node(TestDatabase database, TimeProvider time)
        {
            Bus = new BusQueue(time, NullLogger<BusQueue>.Instance);
            source = new DirectDataSource(NpgsqlDataSource.Create(database.ConnectionString));
            worker = new BusWorker(
                Bus, new PostgresCarrier(source), new BusKey(source), SystemClock.Instance, NullLogger<BusWorker>.Instance);
            Bus.Subscribe<Word>("word", (node, word) => Heard.Enqueue((node, word)));
            Bus.OnConnected(() => Interlocked.Increment(ref connections));
        }

        public BusQueue Bus { get; }

        public ConcurrentQueue<(string Node, Word Word)> Heard { get; } = new();

        public int Connections => Volatile.Read(ref connections);

        public static async Task<Node> StartAsync(TestDatabase database, TimeProvider? time = null)
        {
            var node = new Node(database, time ?? TimeProvider.System);
            await node.worker.StartAsync(CancellationToken.None);
            await Eventually.HoldsAsync(() => Task.FromResult(node.Connections > 0), "it listens");
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            await worker.StopAsync(CancellationToken.None);
            worker.Dispose();
            await source.DisposeAsync();
        }
    }
}
