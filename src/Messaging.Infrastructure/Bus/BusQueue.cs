using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Messaging.Application.Bus;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// The bus as this node sees it: what waits to be sent, who hears what comes, and which other nodes there are. A worker carries it, packed:
/// the node's name, then a line for each message.
/// </summary>
public sealed class BusQueue(TimeProvider time, ILogger<BusQueue> logger) : IBus
{
    /// <summary>Messages that may wait, as long as nothing can be sent.</summary>
    public const int Capacity = 10_000;

    private const string BeatTopic = "node";

    /// <summary>What has waited for longer is out of date, and dropped.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(2);

    /// <summary>A node that is silent for this long is gone; if it is this one, the link is broken.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    private readonly Channel<Waiting> waiting = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly ConcurrentDictionary<string, Action<string, string>> subscribers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> others = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Action> greetings = new();
    private Waiting? left;
    private long heardItselfAt;
    private bool isConnected;
    private bool wasUp;

    public string Node { get; } = Guid.NewGuid().ToString("N");

    /// <summary>How many nodes there are while the bus has never been up.</summary>
    public int AssumedNodes { get; set; } = 1;

    public bool IsUp => Volatile.Read(ref isConnected) && time.GetElapsedTime(Volatile.Read(ref heardItselfAt)) < Silence;

    public IReadOnlyCollection<string> Others
    {
        get
        {
            // Who is silent while the bus is down may be there all the same.
            foreach (var (node, heardAt) in IsUp ? others : [])
            {
                if (time.GetElapsedTime(heardAt) >= Silence)
                    others.TryRemove(KeyValuePair.Create(node, heardAt));
            }
            return Volatile.Read(ref wasUp) ? [.. others.Keys] : [.. Enumerable.Range(2, AssumedNodes - 1).Select(i => $"{i}")];
        }
    }

    public void Publish<T>(string topic, T body)
    {
        var json = JsonSerializer.Serialize(body, JsonSerializerOptions.Web);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(json.Length, BusLimits.MessageLength, nameof(body));
        waiting.Writer.TryWrite(new Waiting($"{topic} {json}", time.GetTimestamp()));
    }

    public void Subscribe<T>(string topic, Action<string, T> hear) =>
        subscribers[topic] = (node, json) =>
            hear(node, JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web) ?? throw new JsonException("Nothing is said."));

    public void OnConnected(Action connected) => greetings.Enqueue(connected);

    /// <summary>Messages begin to come.</summary>
    public void Connected()
    {
        Volatile.Write(ref heardItselfAt, time.GetTimestamp());
        // Those that are there are heard before they are taken for silent.
        foreach (var node in others.Keys)
            others[node] = time.GetTimestamp();
        Volatile.Write(ref isConnected, value: true);
        Publish(BeatTopic, new Sign(IsNew: true));
        foreach (var greet in greetings)
            greet();
    }

    /// <summary>Nothing comes any more, for now.</summary>
    public void Disconnected() => Volatile.Write(ref isConnected, value: false);

    /// <summary>Tells the others, and this node's own link, that it is there.</summary>
    public void Beat() => Publish(BeatTopic, new Sign());

    /// <summary>True when something waits; false when nothing ever will again.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken ct) => waiting.Reader.WaitToReadAsync(ct);

    /// <summary>Nothing more is published, after a goodbye.</summary>
    public void Complete()
    {
        Publish(BeatTopic, new Sign(IsLast: true));
        waiting.Writer.TryComplete();
    }

    /// <summary>As many of the waiting messages as fit; null when there is none.</summary>
    public string? Take(int length)
    {
        var payload = new StringBuilder(Node, length);
        while (left is not null || waiting.Reader.TryRead(out left))
        {
            if (time.GetElapsedTime(left.At) < Freshness)
            {
                if (payload.Length + 1 + left.Line.Length > length)
                    break;
                payload.Append('\n').Append(left.Line);
            }
            left = null;
        }
        return payload.Length > Node.Length ? payload.ToString() : null;
    }

    /// <summary>Hands what some node sent to those who hear it; what this one sent comes back and shows that the bus is up.</summary>
    public void Hear(string payload)
    {
        var lines = payload.Split('\n');
        if (lines[0] == Node)
        {
            Volatile.Write(ref heardItselfAt, time.GetTimestamp());
            Volatile.Write(ref wasUp, value: true);
            return;
        }
        foreach (var line in lines.Skip(1))
        {
            var end = Math.Max(line.IndexOf(' ', StringComparison.Ordinal), 0);
            try
            {
                Hear(lines[0], line[..end], line[(end + 1)..]);
            }
            // Nobody's word may end the listening to all others.
            catch (Exception e)
            {
                BusMetrics.Drop("malformed");
                logger.LogWarning("A message of another node is not understood: {Exception}", e.GetType().Name);
            }
        }
    }

    private void Hear(string node, string topic, string json)
    {
        if (topic == BeatTopic)
            Note(node, JsonSerializer.Deserialize<Sign>(json, JsonSerializerOptions.Web));
        // Another release may have more topics, and other members in those that are known here.
        else if (subscribers.TryGetValue(topic, out var hear))
            hear(node, json);
    }

    private void Note(string node, Sign? sign)
    {
        if (sign is { IsLast: true })
            others.TryRemove(node, out _);
        else
            others[node] = time.GetTimestamp();
        if (sign is { IsNew: true })
            Beat();
    }

    private sealed record Waiting(string Line, long At);

    private sealed record Sign(bool IsNew = false, bool IsLast = false);
}
