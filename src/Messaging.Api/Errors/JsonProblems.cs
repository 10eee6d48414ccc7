using System.Text.Json;
using System.Text.RegularExpressions;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

/// <summary>
/// Says what is wrong with a JSON body, and where. Never in the parser's words, which hold pieces of the body; what our own
/// converters say is passed on.
/// </summary>
public static partial class JsonProblems
{
    /// <summary>All that the exception tells.</summary>
    /// <param name="root">The type that the body was read as, when known: it tells what was expected.</param>
    public static IReadOnlyList<Problem> Of(JsonException exception, Type? root)
    {
        var path = new JsonPath(MessagingJson.PathOf(exception));
        var message = exception.Message;
        // The reader's exceptions are of a class of its own, thrown or wrapped: the text is no JSON at all.
        var isPassedOn = exception.Data.Contains(OptionalConverterFactory.InnerPath);
        if (exception.GetType() != typeof(JsonException) || (exception.InnerException is JsonException && !isPassedOn))
            return [Invalid(path.Member, "This is not valid JSON, or nested too deeply.")];
        if (message.Contains("was missing required properties", StringComparison.Ordinal))
        {
            var names = message[message.IndexOf("including:", StringComparison.Ordinal)..];
            return [.. Quoted().Matches(names).Select(match => Invalid(path.Below(match.Groups["name"].Value), "A value is required."))];
        }
        return [Invalid(path.Member, Detail(message, path, root))];
    }

    private static string Detail(string message, JsonPath path, Type? root) => message switch
    {
        _ when message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal) =>
            "There is no such member; check its spelling.",
        _ when message.StartsWith("Duplicate property", StringComparison.Ordinal) => "A member stands here twice.",
        _ when message.Contains("doesn't allow null", StringComparison.Ordinal) => "Must not be null.",
        _ when message.Contains("Path: ", StringComparison.Ordinal) => $"Expected: {path.Expected(root) ?? "another kind of value"}.",
        _ => message,
    };

    private static Problem Invalid(string member, string detail) => new(ProblemCodes.InvalidRequest, detail, member);

    [GeneratedRegex("'(?<name>[^']+)'", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Quoted();
}
