namespace Messaging.Application.Bus;

/// <summary>
/// Signals between the nodes that are not stored. Best effort: nothing is kept for a node that is cut off, and the oldest is dropped when
/// too much waits, so that those who use it must repair what was lost.
/// </summary>
public interface IBus
{
    /// <summary>Names this process among the nodes; another one after a restart.</summary>
    string Node { get; }

    /// <summary>The other nodes that are there, as far as this one knows; while the bus is down those that were there last.</summary>
    IReadOnlyCollection<string> Others { get; }

    /// <summary>Whether messages come; false as soon as the link is broken, or nothing has come over it for 10 s.</summary>
    bool IsUp { get; }

    /// <summary>Sends to all other nodes, in the order of the calls. Never waits.</summary>
    /// <param name="topic">Without spaces.</param>
    /// <param name="body">Plain data, less than <see cref="BusLimits.MessageLength"/> as JSON.</param>
    void Publish<T>(string topic, T body);

    /// <summary>
    /// Has <paramref name="hear"/> called with each message of the topic and the node it came from, one at a time, in that node's order.
    /// </summary>
    void Subscribe<T>(string topic, Action<string, T> hear);

    /// <summary>Has <paramref name="connected"/> called whenever messages begin to come, since those before were missed.</summary>
    void OnConnected(Action connected);
}

public static class BusLimits
{
    /// <summary>Characters of a message's JSON, which is ASCII.</summary>
    public const int MessageLength = 7_000;
}
