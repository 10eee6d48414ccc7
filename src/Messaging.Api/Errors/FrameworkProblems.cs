using Messaging.Domain.Common;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing.Template;

namespace Messaging.Api.Errors;

/// <summary>Texts for the statuses that the framework answers without a body.</summary>
public static class FrameworkProblems
{
    /// <summary>Gives a refusal that was answered by its status alone the body that it lacks.</summary>
    public static Task CompleteAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400
            // A range that a file does not have is refused with the file's type and nothing of it.
            || (response.ContentType is not null && response.StatusCode != StatusCodes.Status416RangeNotSatisfiable))
            return Task.CompletedTask;
        // The router refuses OPTIONS with the methods that it has, which is just what OPTIONS asks for.
        if (HttpMethods.IsOptions(context.Request.Method) && response.StatusCode == StatusCodes.Status405MethodNotAllowed)
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }
        return context.WriteProblemAsync(Of(context));
    }

    /// <summary>The problem that the answer's status stands for.</summary>
    public static Problem Of(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status401Unauthorized => new(
            ProblemCodes.Unauthenticated, "Send a user token as 'Authorization: Bearer …' or a service key as 'X-Api-Key'."),
        StatusCodes.Status403Forbidden => new(ProblemCodes.NotAllowed, "This credential does not allow the call."),
        StatusCodes.Status404NotFound => new(ProblemCodes.NotFound, "Not found, or not visible to you."),
        StatusCodes.Status405MethodNotAllowed => new(
            EdgeCodes.MethodNotAllowed, "This URL does not support the method; the Allow header lists those it supports."),
        StatusCodes.Status406NotAcceptable =>
            new(EdgeCodes.NotAcceptable, "Answers are application/json, which the Accept header excludes."),
        StatusCodes.Status408RequestTimeout => new(EdgeCodes.RequestTimeout, "The request did not arrive in time; send it again."),
        StatusCodes.Status413PayloadTooLarge => new(ProblemCodes.TooLarge, "The body is larger than this call allows."),
        StatusCodes.Status415UnsupportedMediaType => new(
            ProblemCodes.UnsupportedMedia, $"This call does not accept the body's content type; send {Taken(context)}."),
        StatusCodes.Status416RangeNotSatisfiable => new(
            EdgeCodes.RangeNotSatisfiable, "The file has no such range; Content-Range gives its size."),
        StatusCodes.Status429TooManyRequests =>
            new(ProblemCodes.RateLimited, "Too many requests; try again later.") { RetryAfterSeconds = 60 },
        StatusCodes.Status431RequestHeaderFieldsTooLarge =>
            new(EdgeCodes.HeadersTooLarge, "The headers are larger than this service allows."),
        StatusCodes.Status503ServiceUnavailable => new(ProblemCodes.Unavailable, "Try again in a moment.") { RetryAfterSeconds = 5 },
        >= 500 => Internal,
        _ => new(ProblemCodes.InvalidRequest, "The request could not be read."),
    };

    // What the router refuses with knows nothing of the call that it refuses.
    private static string Taken(HttpContext context)
    {
        var types = context.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains(context.Request.Method) == true
                && new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), new()).TryMatch(context.Request.Path, new()))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes ?? [])
            .ToHashSet(StringComparer.Ordinal);
        return types.Count == 0 || types.Contains("application/json") ? "application/json in UTF-8" : string.Join(" or ", types);
    }

    public static Problem Internal { get; } = new(
        ProblemCodes.Internal, "This is an error in the service, not in the request; its operator can find the cause by the traceId.");
}
