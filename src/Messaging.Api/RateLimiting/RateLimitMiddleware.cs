using Messaging.Api.Realtime;
using Messaging.Api.Security;

namespace Messaging.Api.RateLimiting;

/// <summary>Counts every request: those of a user or service key by that, all others by the address from which they come.</summary>
public sealed class RateLimitMiddleware(RequestDelegate next, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        var caller = context.User.CallerKey();
        var address = context.AddressKey();
        var path = context.Request.Path;
        if (path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || (caller is not null && MessagingHub.IsAt(path)))
            context.Take(limits.Requests, caller ?? address);
        // Apart, so that whatever else is asked from a load balancer's address, its probes are answered.
        else if (path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase))
            context.Take(limits.Health, address);
        else
            context.Take(limits.Address, address);
        if (context.GetEndpoint()?.Metadata.GetMetadata<SendLimit>() is not null)
            context.TakeSend(limits);
        return next(context);
    }
}
