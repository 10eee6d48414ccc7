using System.Text.Json;
using Messaging.Api.RateLimiting;
using Messaging.Application.Bus;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

/// <summary>Budgets that several nodes share, over a bus on which the test decides what arrives when.</summary>
public sealed class SharedLimitTests
{
    const int Quota = 120;

    readonly ManualTime clock = new();

    [TestCase(2)]
    [TestCase(3)]
    public void A_caller_of_one_node_can_use_all_of_the_budget(int count)
    {
        var nodes = Start(count);

        var admitted = 0;
        for (var i = 0; i < 2 * Quota; i++)
        {
            admitted += TakeOn(nodes[0]);
            Settle(nodes);
        }

        Assert.That(admitted, Is.EqualTo(Quota));
    }

    [Test]
    public void Before_the_others_have_heard_a_node_admits_its_share_of_what_is_left()
    {
        var nodes = Start(2);
        Assert.That(Enumerable.Range(0, Quota).Sum(_ => TakeOn(nodes[0])), Is.EqualTo(Quota / 2));

        Settle(nodes);

        Assert.That(Enumerable.Range(0, Quota).Sum(_ => TakeOn(nodes[0])), Is.EqualTo(Quota / 4));
    }

    [TestCase(2, 1)]
    [TestCase(2, 2)]
    [TestCase(3, 3)]
    [TestCase(5, 4)]
    public void Whatever_arrives_late_all_nodes_together_admit_the_budget_and_no_tenth_more(int count, int seed)
    {
        var random = new Random(seed);
        var nodes = Start(count);

        var admitted = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var node = nodes[random.Next(count)];
            if (random.Next(3) == 0)
                node.Bus.DeliverOne(random.Next(count));
            else if (random.Next(4) == 0)
                node.Exchange.Flush();
            else
                admitted += TakeOn(node);
        }

        Assert.That(admitted, Is.InRange(Quota, Quota * 1.1));
    }

    [Test]
    public void Without_a_bus_each_node_admits_its_share()
    {
        var nodes = Start(2);
        foreach (var node in nodes)
        {
            node.Bus.IsUp = false;
            node.Exchange.Flush();
        }

        Assert.That(nodes.Select(node => Enumerable.Range(0, Quota).Sum(_ => TakeOn(node))), Is.All.EqualTo(Quota / 2));
        Assert.That(nodes[0].Limits.Send.Take("user:anna"), Has.Property("IsPending").False.And.Property("Allowed").False);
    }

    [Test]
    public void A_node_that_comes_later_learns_what_was_used()
    {
        var wires = new Wires();
        var first = new Node(wires, "a", clock);
        first.Exchange.Flush();
        for (var i = 0; i < 100; i++)
            TakeOn(first);

        Node[] nodes = [first, new Node(wires, "b", clock)];
        Settle(nodes);

        Assert.That(nodes[1].Limits.Send.Take("user:anna").Budget.Remaining, Is.EqualTo(Quota - 101));
    }

    [Test]
    public void A_node_that_is_gone_leaves_what_it_admitted_counted_on_one_that_comes_after_it()
    {
        var wires = new Wires();
        Node[] nodes = [new Node(wires, "a", clock), new Node(wires, "b", clock)];
        Settle(nodes);
        for (var i = 0; i < 100; i++)
        {
            TakeOn(nodes[0]);
            Settle(nodes);
        }

        wires.Remove(nodes[0].Bus);
        nodes = [nodes[1], new Node(wires, "c", clock)];
        Settle(nodes);

        Assert.That(nodes.Sum(node => Enumerable.Range(0, Quota).Sum(_ => TakeOn(node))), Is.InRange(1, (Quota * 1.1) - 100));
    }

    [Test]
    public void Nodes_count_in_the_window_that_began_first()
    {
        var nodes = Start(2);
        Use(nodes[0], 10);
        clock.Advance(TimeSpan.FromSeconds(50));
        Use(nodes[1], 10);
        Settle(nodes);
        Assert.That(nodes[1].Limits.Send.Take("user:anna").Budget, Has.Property("Remaining").EqualTo(Quota - 21)
            .And.Property("ResetSeconds").EqualTo(10));

        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.That(nodes.Select(node => node.Limits.Send.Look("user:anna").Budget.Remaining), Is.All.EqualTo(Quota));
    }

    [Test]
    public void Word_that_was_lost_is_told_again()
    {
        var nodes = Start(2);
        Use(nodes[0], Quota / 2);
        nodes[0].Exchange.Flush();
        nodes[0].Bus.Lose();

        Assert.That(() => Told(nodes), Is.True.After(20_000, 20));
    }

    static bool Told(Node[] nodes)
    {
        Settle(nodes);
        return TakeOn(nodes[0]) > 0;
    }

    static void Use(Node node, int times)
    {
        for (var i = 0; i < times; i++)
            TakeOn(node);
    }

    static int TakeOn(Node node) => node.Limits.Send.Take("user:anna").Allowed ? 1 : 0;

    // Until everybody knows everything.
    static void Settle(Node[] nodes)
    {
        for (var i = 0; i < 3; i++)
        {
            foreach (var node in nodes)
                node.Exchange.Flush();
            foreach (var node in nodes)
                node.Bus.DeliverAll();
        }
    }

    Node[] Start(int count)
    {
        var wires = new Wires();
        var nodes = Enumerable.Range(0, count).Select(i => new Node(wires, $"{i}", clock)).ToArray();
        Settle(nodes);
        return nodes;
    }

    sealed class Node
    {
        public Node(Wires wires, string name, TimeProvider time)
        {
            Bus = wires.Join(name);
            Exchange = new RateLimitExchange(Bus);
            Limits = new RateLimits(new RateLimitSettings { SendPerMinute = Quota }, time, Exchange);
        }

        public Wire Bus { get; }

        public RateLimitExchange Exchange { get; }

        public RateLimits Limits { get; }
    }

    sealed class Wires : List<Wire>
    {
        public Wire Join(string name)
        {
            Add(new Wire(name, this));
            return this[^1];
        }
    }

    // What a node hears, each other one in its order.
    sealed class Wire(string name, Wires all) : IBus
    {
        readonly Dictionary<string, Queue<string>> coming = [];
        Action<string, string>? hear;

        public string Node => name;

        public IReadOnlyCollection<string> Others => [.. all.Select(wire => wire.Node).Where(other => other != name)];

        public bool IsUp { get; set; } = true;

        public void Publish<T>(string topic, T body)
        {
            foreach (var wire in all.Where(wire => wire != this))
                wire.From(name).Enqueue(JsonSerializer.Serialize(body, JsonSerializerOptions.Web));
        }

        public void Subscribe<T>(string topic, Action<string, T> heard) =>
            hear = (node, json) => heard(node, JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web)!);

        public void OnConnected(Action connected)
        {
        }

        public void DeliverOne(int from)
        {
            if (From($"{from}").TryDequeue(out var word))
                hear!($"{from}", word);
        }

        public void DeliverAll()
        {
            foreach (var (node, words) in coming)
            {
                while (words.TryDequeue(out var word))
                    hear!(node, word);
            }
        }

        public void Lose() => all.ForEach(wire => wire.From(name).Clear());

        Queue<string> From(string node) => coming.TryGetValue(node, out var words) ? words : coming[node] = new Queue<string>();
    }
}
