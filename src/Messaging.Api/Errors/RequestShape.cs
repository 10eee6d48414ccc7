using Messaging.Domain.Common;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Errors;

/// <summary>Refuses what no endpoint could answer well: NUL in a query, and an Accept header that leaves no form of the answer.</summary>
public sealed class RequestShape(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (NulParameter(context.Request) is { } name)
            throw CommonErrors.Invalid($"#/{name}", "Text must not hold U+0000.");
        if (IsAcceptable(context))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status406NotAcceptable;
        return Task.CompletedTask;
    }

    private static string? NulParameter(HttpRequest request)
    {
        if (request.QueryString.Value?.Contains("%00", StringComparison.Ordinal) != true)
            return null;
        foreach (var (name, values) in request.Query)
        {
            if (name.Contains('\0', StringComparison.Ordinal) || values.Any(value => value!.Contains('\0', StringComparison.Ordinal)))
                return name.Replace("\0", "", StringComparison.Ordinal);
        }
        return null;
    }

    private static bool IsAcceptable(HttpContext context)
    {
        var accept = context.Request.Headers.Accept;
        if (accept.Count == 0 || (accept is [{ } one] && one.Contains("*/*", StringComparison.Ordinal))
            || !context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase)
            || !MediaTypeHeaderValue.TryParseList(accept, out var ranges))
        {
            return true;
        }
        var given = context.GetEndpoint()?.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().SelectMany(answer => answer.ContentTypes) ?? [];
        return given.Append("application/json").Append(ProblemBody.ContentType).Distinct(StringComparer.Ordinal)
            .Select(type => new MediaTypeHeaderValue(type))
            .Any(type => ranges.Any(range => range.Quality is not 0 && type.IsSubsetOf(range)));
    }
}
