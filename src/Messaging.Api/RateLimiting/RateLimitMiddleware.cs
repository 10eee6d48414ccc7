using Messaging.Api.Security;

namespace Messaging.Api.RateLimiting;

/// <summary>Counts requests to the API.</summary>
public sealed class RateLimitMiddleware(RequestDelegate next, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase))
            return next(context);

        var key = context.User.CallerKey() ?? CallerKeys.AddressKey(context.Connection.RemoteIpAddress);
        context.Take(limits.Requests, key);
        if (context.GetEndpoint()?.Metadata.GetMetadata<SendLimit>() is not null)
            context.Take(limits.Send, key);
        return next(context);
    }
}
