using System.Text.Json.Serialization;

namespace Messaging.Api.Errors;

/// <summary>Why a request was refused, in the form of RFC 9457. Clients branch on <c>code</c>.</summary>
/// <param name="Type"><c>urn:messaging:problem:</c> and the code.</param>
/// <param name="Title">The same for every problem with this code.</param>
/// <param name="Status">The answer's status.</param>
/// <param name="Detail">What happened and what to do about it, for people to read.</param>
/// <param name="Instance">The path of the request.</param>
/// <param name="Code">Stable; clients branch on it.</param>
/// <param name="TraceId">Identifies the request in the service's logs.</param>
/// <param name="Errors">Which parts of the request are wrong, and why.</param>
public sealed record ProblemBody(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Instance,
    string Code,
    string TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ProblemError>? Errors)
{
    public const string ContentType = "application/problem+json";
}

/// <summary>One error in the request.</summary>
/// <param name="Pointer">A JSON pointer fragment into the body, or <c>#/</c> followed by the name of a parameter or header.</param>
/// <param name="Detail">What is wrong with it.</param>
public sealed record ProblemError(string Pointer, string Detail);
