namespace Messaging.Infrastructure.Bus;

/// <summary>Takes what came over the bus, whoever sent it.</summary>
public delegate void BusHearer(ReadOnlySpan<byte> wire);

/// <summary>What brings payloads from one node to all of them, itself included. May lose some, never waits for a node.</summary>
public interface IBusCarrier
{
    /// <summary>
    /// The nodes that are assumed as long as the bus was never up. A broker is set up for several; without PostgreSQL none serves.
    /// </summary>
    int AssumedNodes { get; }

    /// <summary>Returns once whatever is sent from now on is heard. Makes anew what it needs at the other end.</summary>
    Task<IBusLink> ConnectAsync(BusHearer hear, CancellationToken ct);
}

/// <summary>A connection that carries the bus. It does not mend itself: a new one takes its place.</summary>
public interface IBusLink : IAsyncDisposable
{
    Task SendAsync(string payload, CancellationToken ct);

    /// <summary>Throws when the link is broken; returns never.</summary>
    Task WatchAsync(CancellationToken ct);
}
