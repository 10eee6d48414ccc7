using Messaging.Api.RateLimiting;
using Messaging.Infrastructure.Presence;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>Makes each connection of the hub hear what its user may hear, from the moment it is connected.</summary>
public sealed class MessagingLifetime(
    LiveConnections connections, LivePresence presence, RateLimits limits, ILogger<DefaultHubLifetimeManager<MessagingHub>> logger)
    : DefaultHubLifetimeManager<MessagingHub>(logger)
{
    private static readonly object Key = new();

    /// <summary>False where the connection was one too many; the hub tells it so and closes it.</summary>
    public static bool IsLive(IDictionary<object, object?> items) => items.ContainsKey(Key);

    public static LiveConnection LiveOf(IDictionary<object, object?> items) => (LiveConnection)items[Key]!;

    public override async Task OnConnectedAsync(HubConnectionContext connection)
    {
        await base.OnConnectedAsync(connection);
        var beginsWithReplay = connection.GetHttpContext()!.Request.Query.ContainsKey(MessagingHub.CursorParameter);
        var live = new LiveConnection(new HubWire(connection), beginsWithReplay);
        if (!connections.TryAdd(connection.UserIdentifier!, live, limits.ConnectionsPerUser))
            return;
        connection.Items[Key] = live;
        presence.Connect(connection.UserIdentifier!, live);
    }

    public override async Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        if (connection.Items.TryGetValue(Key, out var live))
        {
            connections.Remove(connection.UserIdentifier!, (LiveConnection)live!);
            presence.Disconnect((LiveConnection)live!);
        }
        await base.OnDisconnectedAsync(connection);
    }
}
