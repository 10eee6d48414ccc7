using Messaging.Api.RateLimiting;
using Messaging.Api.Realtime;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Presence;

namespace Messaging.Api.Events;

/// <summary>
/// Makes an event stream a live connection: it hears from the moment it is asked for, counts as one, and makes its user be online.
/// </summary>
public sealed class EventStreams(LiveConnections connections, LivePresence presence, Replays replays, RateLimits limits)
{
    /// <summary>Refuses before anything is written; else returns when the stream is over.</summary>
    public async Task RunAsync(EventStream stream, Actor actor, FeedCursor? since, CancellationToken ct)
    {
        var name = actor.UserId?.Value ?? ILiveReceiver.ServiceName;
        var most = actor.IsService ? limits.ConnectionsOfServices : limits.ConnectionsPerUser;
        var live = new LiveConnection(stream, beginsWithReplay: since is not null);
        if (!connections.TryAdd(name, live, most))
            throw ConnectionErrors.TooMany(most);
        try
        {
            if (!actor.IsService)
                presence.Connect(name, live);
            if (since is { } cursor)
                await replays.CatchUpAsync(live, actor, cursor, ct);
            await stream.RunAsync();
        }
        finally
        {
            connections.Remove(name, live);
            presence.Disconnect(live);
        }
    }
}
