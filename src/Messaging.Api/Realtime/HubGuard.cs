using Messaging.Api.Auth;
using Messaging.Api.Health;
using Messaging.Api.RateLimiting;

namespace Messaging.Api.Realtime;

/// <summary>
/// Refuses connections that could not be of use, while the answer can still be a plain one: of no user, of one who has too many of them, or
/// on the way down.
/// </summary>
public sealed class HubGuard(RequestDelegate next, Draining draining, LiveConnections connections, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!MessagingHub.IsAt(context.Request.Path))
            return next(context);
        if (draining.HasBegun)
            throw ConnectionErrors.Draining();
        var user = context.Actor().RequireUser();
        // Of several at once more may get this far than there is room for; LiveConnections lets in no more than that.
        if (BeginsConnection(context.Request) && connections.CountOf(user.Value) >= limits.ConnectionsPerUser)
            throw ConnectionErrors.TooMany(limits.ConnectionsPerUser);
        return next(context);
    }

    // What else comes here are polls and messages of a connection that there is.
    private static bool BeginsConnection(HttpRequest request) =>
        request.Path.Value!.EndsWith("/negotiate", StringComparison.OrdinalIgnoreCase)
        || HttpMethods.IsConnect(request.Method)
        || request.Headers.Upgrade.Count > 0
        || request.Headers.Accept.Contains("text/event-stream");
}
