using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Errors;

/// <summary>Writes a problem as the answer; the one place where the shape of errors is made.</summary>
public static class ProblemAnswers
{
    public static Task WriteProblemAsync(this HttpContext context, Problem problem) => context.WriteProblemAsync([problem]);

    public static Task WriteProblemAsync(this HttpContext context, IReadOnlyList<Problem> problems)
    {
        var response = context.Response;
        var body = context.Describe(problems);
        // What a handler had set for the answer that it did not come to give.
        response.Headers.ETag = StringValues.Empty;
        response.Headers.Location = StringValues.Empty;
        response.Headers.ContentEncoding = StringValues.Empty;
        response.Headers.ContentDisposition = StringValues.Empty;
        response.Headers.CacheControl = "no-store";
        response.StatusCode = body.Status;
        response.ContentType = ProblemBody.ContentType;
        if (problems[0].RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (problems[0].Budget is { } budget)
            context.Tell(budget);
        if (body.Status == StatusCodes.Status401Unauthorized && StringValues.IsNullOrEmpty(response.Headers[HeaderNames.WWWAuthenticate]))
            response.Headers.WWWAuthenticate = "Bearer";

        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, MessagingJson.Options);
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, CancellationToken.None).AsTask();
    }

    /// <summary>The body that answers this request with these problems; more than one only when the request is not valid.</summary>
    public static ProblemBody Describe(this HttpContext context, IReadOnlyList<Problem> problems)
    {
        var kind = ProblemKinds.Of(problems[0].Code);
        var errors = problems
            .Where(problem => problem.Member is not null)
            .Select(problem => new ProblemError(PointerTo(problem.Member!), problem.Detail))
            .ToArray();
        return new ProblemBody(
            kind.Type,
            kind.Title,
            kind.Status,
            problems[0].Detail,
            context.Request.Path.ToUriComponent(),
            kind.Code,
            Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier,
            errors.Length > 0 || kind.Status == StatusCodes.Status400BadRequest ? errors : null);
    }

    // A JSON pointer fragment; parameters and headers look like members of the body.
    private static string PointerTo(string member) => member switch
    {
        "" => "#",
        MemberPath.Nameless => "#/",
        _ => "#/" + member,
    };
}
