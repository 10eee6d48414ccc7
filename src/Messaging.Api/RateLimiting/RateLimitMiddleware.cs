using System.Globalization;
using Messaging.Api.Errors;
using Messaging.Api.Security;

namespace Messaging.Api.RateLimiting;

/// <summary>Counts requests to the API and tells callers, in the words of the IETF draft, what is left to them.</summary>
public sealed class RateLimitMiddleware(RequestDelegate next, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!limits.Enabled || !context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase))
            return next(context);

        var key = context.User.CallerKey() ?? CallerKeys.AddressKey(context.Connection.RemoteIpAddress);
        var requests = limits.TryTake(RateLimitPolicy.Requests, key);
        if (!requests.Allowed || context.GetEndpoint()?.Metadata.GetMetadata<SendLimit>() is null)
            return AnswerAsync(context, requests, [requests]);
        var send = limits.TryTake(RateLimitPolicy.Send, key);
        return AnswerAsync(context, send, [send, requests]);
    }

    private Task AnswerAsync(HttpContext context, RateLimitState decisive, RateLimitState[] states)
    {
        context.Response.Headers["RateLimit-Policy"] = string.Join(", ", states.Select(Policy));
        context.Response.Headers["RateLimit"] = string.Join(", ", states.Select(Left));
        return decisive.Allowed ? next(context) : context.WriteProblemAsync(decisive.Problem);
    }

    private static string Policy(RateLimitState state) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{state.Name}\";q={state.Quota};w={RateLimits.WindowSeconds}");

    private static string Left(RateLimitState state) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{state.Name}\";r={state.Remaining};t={state.ResetSeconds}");
}
