using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Errors;

/// <summary>
/// Refuses what no endpoint could answer well: NUL in a query, a word that its enumeration does not have, a body that is not in
/// UTF-8, one for a call that takes none, and an Accept header that leaves no form of the answer.
/// </summary>
public sealed class RequestShape(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (NulParameter(context.Request) is { } name)
            throw CommonErrors.Invalid(MemberPath.Of([name]), "Text must not contain U+0000.");
        RefuseUnknownWord(context);
        if (!IsUtf8(context.Request))
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        else if (!IsAcceptable(context))
            context.Response.StatusCode = StatusCodes.Status406NotAcceptable;
        else
            await PassAsync(context);
    }

    private async Task PassAsync(HttpContext context)
    {
        if (TakesNoBody(context))
            await RefuseMembersAsync(context);
        await next(context);
    }

    // What the router itself refuses with has no route.
    private static bool TakesNoBody(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase)
        && context.GetEndpoint() is RouteEndpoint endpoint && endpoint.Metadata.GetMetadata<IAcceptsMetadata>() is null
        && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    // An object without members is what many clients send for nothing.
    private static async Task RefuseMembersAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        // Whoever compares repeated requests reads it again.
        context.Request.Body = body;
        if (body.Length == 0)
            return;
        body.Position = 0;
        try
        {
            if (JsonSerializer.Deserialize<Nothing>(body, MessagingJson.Options) is null)
                throw CommonErrors.Invalid("", "This call takes no body.");
        }
        catch (JsonException e)
        {
            throw new RuleException(JsonProblems.Of(e, typeof(Nothing)));
        }
        body.Position = 0;
    }

    private static bool IsUtf8(HttpRequest request) =>
        request.ContentType?.Contains("charset", StringComparison.OrdinalIgnoreCase) != true
        || !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase);

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

    // The framework's own reading of an enumeration takes numbers and any case.
    private static void RefuseUnknownWord(HttpContext context)
    {
        if (!context.Request.QueryString.HasValue || context.GetEndpoint() is not { } endpoint)
            return;
        foreach (var parameter in endpoint.Metadata.GetOrderedMetadata<IParameterBindingMetadata>())
        {
            var type = Nullable.GetUnderlyingType(parameter.ParameterInfo.ParameterType) ?? parameter.ParameterInfo.ParameterType;
            if (!type.IsEnum || !context.Request.Query.TryGetValue(parameter.Name, out var given))
                continue;
            var words = Enum.GetNames(type).Select(MessagingJson.EnumNaming.ConvertName).ToArray();
            if (!words.Contains(given.ToString(), StringComparer.Ordinal))
                throw CommonErrors.Invalid(parameter.Name, $"Expected: one of {string.Join(", ", words)}.");
        }
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
        var given = context.GetEndpoint()?.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>()
            .SelectMany(answer => answer.ContentTypes) ?? [];
        return given.Append("application/json").Append(ProblemBody.ContentType).Distinct(StringComparer.Ordinal)
            .Select(type => new MediaTypeHeaderValue(type))
            .Any(type => ranges.Any(range => range.Quality is not 0 && type.IsSubsetOf(range)));
    }

    private sealed record Nothing;
}
