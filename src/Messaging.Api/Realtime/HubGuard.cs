using Messaging.Api.Auth;
using Messaging.Api.Errors;
using Messaging.Api.Health;
using Messaging.Domain.Common;

namespace Messaging.Api.Realtime;

/// <summary>Refuses connections that could not be of use, while the answer can still be a plain one: of no user, or on the way down.</summary>
public sealed class HubGuard(RequestDelegate next, Draining draining)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments(MessagingHub.Path, StringComparison.OrdinalIgnoreCase))
            return next(context);
        if (draining.HasBegun)
        {
            return context.WriteProblemAsync(new Problem(ProblemCodes.Unavailable, "The service is on its way down; connect again.")
            {
                RetryAfterSeconds = 5,
            });
        }
        _ = context.Actor().RequireUser();
        return next(context);
    }
}
