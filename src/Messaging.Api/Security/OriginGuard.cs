using Messaging.Api.Errors;
using Messaging.Domain.Common;

namespace Messaging.Api.Security;

/// <summary>
/// Refuses what a browser sends from a page of another origin than the service's own or a configured one, the hub's upgrades
/// included, which no CORS rule of a browser guards. Without an Origin it is no browser, and its credential alone counts.
/// </summary>
public sealed class OriginGuard(RequestDelegate next, CorsSettings cors)
{
    public Task InvokeAsync(HttpContext context)
    {
        var origins = context.Request.Headers.Origin;
        if (origins.Count == 0 || (origins is [{ } origin] && (IsOwn(context.Request, origin) || cors.Allows(origin))))
            return next(context);
        return context.WriteProblemAsync(new Problem(
            ProblemCodes.NotAllowed, "Pages of this origin may not call the service; Messaging__Cors__Origins names those that may."));
    }

    // By host and port only: behind a proxy that ends TLS the service does not know its own scheme.
    private static bool IsOwn(HttpRequest request, string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && HostString.FromUriComponent(uri) is var own
        && string.Equals(own.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase)
        && (request.Host.Port is { } port ? uri.Port == port : uri.IsDefaultPort);
}
