using Messaging.Api.Realtime;
using Messaging.Api.Security;

namespace Messaging.Api.RateLimiting;

/// <summary>Counts every request: by its user, its service key, or both where a key acts as a user; all others by their address.</summary>
public sealed class RateLimitMiddleware(RequestDelegate next, RateLimits limits)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var caller = context.User.BudgetKey();
        var address = context.AddressKey();
        var path = context.Request.Path;
        if (path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || (caller is not null && MessagingHub.IsAt(path)))
            await context.TakeAsync(limits.Requests, caller ?? address);
        // Apart, so that whatever else is asked from a load balancer's address, its probes are answered.
        else if (path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase))
            await context.TakeAsync(limits.Health, address);
        else
            await context.TakeAsync(limits.Address, address);
        if (context.GetEndpoint()?.Metadata.GetMetadata<SendLimit>() is not null)
            await context.TakeSendAsync(limits);
        await next(context);
    }
}
