using System.Text.Json.Serialization;

namespace Messaging.Api.Errors;

/// <summary>Why a request was refused, as RFC 9457 writes it. Clients branch on <c>code</c>.</summary>
/// <param name="Type"><c>urn:messaging:problem:</c> and the code.</param>
/// <param name="Title">The same for every problem with this code.</param>
/// <param name="Status">The answer's status.</param>
/// <param name="Detail">What happened and what to do, for a person.</param>
/// <param name="Instance">The path of the request.</param>
/// <param name="Code">A stable word.</param>
/// <param name="TraceId">Finds the request in the service's logs.</param>
/// <param name="Errors">What is wrong with which part of the request.</param>
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

/// <summary>One thing that is wrong.</summary>
/// <param name="Pointer">A JSON pointer fragment into the body, or <c>#/</c> and the name of a parameter or header.</param>
/// <param name="Detail">What is wrong with it.</param>
public sealed record ProblemError(string Pointer, string Detail);
