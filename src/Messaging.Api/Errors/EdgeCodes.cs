using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

/// <summary>The contract's codes of what is refused before, or around, any rule; the others are <see cref="ProblemCodes"/>.</summary>
public static class EdgeCodes
{
    public const string ScopeMissing = "scope-missing";
    public const string IdempotencyInProgress = "idempotency-in-progress";
    public const string MethodNotAllowed = "method-not-allowed";
    public const string NotAcceptable = "not-acceptable";
    public const string RequestTimeout = "request-timeout";
    public const string HeadersTooLarge = "headers-too-large";
    public const string RangeNotSatisfiable = "range-not-satisfiable";
}
