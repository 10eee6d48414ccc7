namespace Messaging.Api.Security;

/// <summary>
/// What every answer tells a browser: guess no types, frame nothing, keep nothing. Endpoints may overwrite what they set.
/// </summary>
public sealed class SecurityHeaders(RequestDelegate next)
{
    private const string NothingMayLoad = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

    // The page of Swagger UI: its own scripts and styles, and icons that stand in its style sheet.
    private const string OwnPage =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/docs", StringComparison.OrdinalIgnoreCase)
            ? OwnPage : NothingMayLoad;
        headers.CacheControl = "no-store";
        return next(context);
    }
}
