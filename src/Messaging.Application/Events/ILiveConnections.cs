namespace Messaging.Application.Events;

/// <summary>This node's connections of clients, to which is pushed what is stored nowhere.</summary>
public interface ILiveConnections
{
    /// <summary>False while nobody listens.</summary>
    bool HasListeners { get; }

    /// <summary>Tells those of the users who are connected here. Never waits for any of them.</summary>
    void Push(EphemeralEnvelope envelope, IEnumerable<string> audience);
}

/// <summary>A client's connection to this node.</summary>
public interface ILiveConnection
{
    /// <summary>Tells it. Never waits; where there is no room, the event is dropped.</summary>
    void Push(EphemeralEnvelope envelope);
}
