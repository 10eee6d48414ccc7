using System.Text.Json;
using System.Text.RegularExpressions;
using Messaging.Api.Auth;
using Messaging.Application.Attachments;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.AspNetCore.Http.Metadata;

namespace Messaging.Api.Errors;

/// <summary>What an exception means to the client.</summary>
public static partial class ExceptionProblems
{
    public static IReadOnlyList<Problem> Of(HttpContext context, Exception exception) => exception switch
    {
        BadHttpRequestException { InnerException: JsonException e } =>
            JsonProblems.Of(e, context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType),
        BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } e => [Binding(context, e)],
        BadHttpRequestException e => [Framework(context, e.StatusCode)],
        _ => Of(exception),
    };

    /// <summary>What it means where there is no HTTP request, such as to a caller of the hub.</summary>
    public static IReadOnlyList<Problem> Of(Exception exception) => exception switch
    {
        RuleException e => [.. e.Problems.Select(Worded)],
        StorageUnavailableException => AttachmentErrors.StorageAway().Problems,
        _ when DatabaseFailures.IsAway(exception) => [new(
            ProblemCodes.Unavailable, "The database is unavailable or overloaded; it is safe to send the same request again.")
            {
                RetryAfterSeconds = 2,
            }],
        _ => [FrameworkProblems.Internal],
    };

    // What only the edge knows: how a client says who acts, and which version it expects.
    private static Problem Worded(Problem problem) => problem switch
    {
        { Code: ProblemCodes.UserNeeded, Member: null } => problem with
        {
            Code = ProblemCodes.InvalidRequest,
            Detail = $"This call acts for a user: send the {CredentialHandler.UserHeader} header beside the service key, or a user "
                + "token.",
            Member = CredentialHandler.UserHeader,
        },
        { Code: ProblemCodes.UserNeeded, Member: "context" } => problem with
        {
            Code = ProblemCodes.InvalidRequest,
            Detail = $"Without {CredentialHandler.UserHeader} a service key lists by context: context=type:id is expected.",
        },
        { Code: ProblemCodes.UserNeeded } => problem with
        {
            Code = ProblemCodes.InvalidRequest,
            Detail = $"A service key without {CredentialHandler.UserHeader} sends messages of type 'system' only.",
        },
        { Code: ProblemCodes.VersionMismatch } => problem with
        {
            Detail = "Its version is not the one in If-Match; read it again and retry.",
        },
        _ => problem,
    };

    private static Problem Framework(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return FrameworkProblems.Of(context);
    }

    // The framework names the parameter in its message only.
    private static Problem Binding(HttpContext context, BadHttpRequestException exception)
    {
        var match = ParameterMessage().Match(exception.Message);
        if (!match.Success)
            return new(ProblemCodes.InvalidRequest, "A JSON body is expected.", "");
        var name = match.Groups["name"].Value;
        if (context.Request.RouteValues.ContainsKey(name))
            return new(ProblemCodes.NotFound, "Not found, or not visible to you.");
        return match.Groups["failed"].Success
            ? new(ProblemCodes.InvalidRequest, $"Expected: {Expected(context, name) ?? "another kind of value"}.", name)
            : exception.Message.EndsWith("body.", StringComparison.Ordinal)
                ? new(ProblemCodes.InvalidRequest, "A JSON body is expected.", "")
                : new(ProblemCodes.InvalidRequest, $"'{name}' is required.", name);
    }

    private static string? Expected(HttpContext context, string name) => new JsonPath(path: null).Expected(
        context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>()
            .FirstOrDefault(parameter => parameter.Name == name)?.ParameterInfo.ParameterType);

    [GeneratedRegex("""^(?:(?<failed>Failed to bind)|Required) parameter "[^"]*?(?<name>[^" ]+)" (?:from|was not)""",
        RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ParameterMessage();
}
