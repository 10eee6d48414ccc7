using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Messaging.Application.Bus;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// The bus as this node sees it: what waits to be sent, and who hears what comes. A worker carries it, packed: the node's name, then a line
/// for each message.
/// </summary>
public sealed class BusQueue(ILogger<BusQueue> logger) : IBus
{
    /// <summary>Messages that may wait, as long as nothing can be sent.</summary>
    public const int Capacity = 10_000;

    private readonly Channel<string> waiting = Channel.CreateBounded<string>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly ConcurrentDictionary<string, Action<string, string>> subscribers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Action> greetings = new();
    private string? left;

    public string Node { get; } = Guid.NewGuid().ToString("N");

    public void Publish<T>(string topic, T body)
    {
        var json = JsonSerializer.Serialize(body, JsonSerializerOptions.Web);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(json.Length, BusLimits.MessageLength, nameof(body));
        waiting.Writer.TryWrite($"{topic} {json}");
    }

    public void Subscribe<T>(string topic, Action<string, T> hear) =>
        subscribers[topic] = (node, json) => hear(node, JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web)!);

    public void OnConnected(Action connected) => greetings.Enqueue(connected);

    /// <summary>Messages begin to come.</summary>
    public void Connected()
    {
        foreach (var greet in greetings)
            greet();
    }

    /// <summary>True when something waits; false when nothing ever will again.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken ct) => waiting.Reader.WaitToReadAsync(ct);

    /// <summary>Nothing more is published.</summary>
    public void Complete() => waiting.Writer.TryComplete();

    /// <summary>As many of the waiting messages as fit; null when there is none.</summary>
    public string? Take(int length)
    {
        var payload = new StringBuilder(Node, length);
        while (left is not null || waiting.Reader.TryRead(out left))
        {
            if (payload.Length + 1 + left.Length > length)
                break;
            payload.Append('\n').Append(left);
            left = null;
        }
        return payload.Length > Node.Length ? payload.ToString() : null;
    }

    /// <summary>Hands what some node sent to those who hear it; what this one sent comes back and is passed over.</summary>
    public void Hear(string payload)
    {
        var lines = payload.Split('\n');
        if (lines[0] == Node)
            return;
        foreach (var line in lines.Skip(1))
        {
            var end = Math.Max(line.IndexOf(' ', StringComparison.Ordinal), 0);
            // Another release may have more topics, and other members in those that are known here.
            if (!subscribers.TryGetValue(line[..end], out var hear))
                continue;
            try
            {
                hear(lines[0], line[(end + 1)..]);
            }
            catch (JsonException e)
            {
                logger.LogWarning(e, "A message of another node is not understood");
            }
        }
    }
}
