using Messaging.Api.Auth;
using Messaging.Application.Revocations;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>What a live connection writes to: a connection of the hub, or a stream of server-sent events.</summary>
public interface ILiveWire
{
    CancellationToken Aborted { get; }

    /// <summary>What it was opened with.</summary>
    Credential? Credential { get; }

    /// <summary>Returns when there is room for more. One after the other.</summary>
    ValueTask WriteAsync(LiveEvent told, CancellationToken ct);

    /// <summary>Has it end soon, in good order. Never waits.</summary>
    void RequestClose();
}

/// <summary>A connection of the hub.</summary>
public sealed class HubWire(HubConnectionContext connection) : ILiveWire
{
    public CancellationToken Aborted => connection.ConnectionAborted;

    public Credential? Credential { get; } = connection.User.Credential();

    public ValueTask WriteAsync(LiveEvent told, CancellationToken ct) => connection.WriteAsync(told.Call, ct);

    /// <summary>Says goodbye; what is stuck is cut off by the transport's time-out.</summary>
    public void RequestClose() => connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
