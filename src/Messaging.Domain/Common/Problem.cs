namespace Messaging.Domain.Common;

/// <summary>Why something was refused: a stable code that clients branch on, and a sentence that says what to do.</summary>
/// <param name="Code">One of <see cref="ProblemCodes"/>.</param>
/// <param name="Detail">For the person who reads the answer; never holds a secret or a message's text.</param>
/// <param name="Pointer">The member of the request that is wrong, as a JSON pointer fragment such as <c>#/text</c>.</param>
public sealed record Problem(string Code, string Detail, string? Pointer = null)
{
    /// <summary>Seconds after which a repeat may succeed.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>The budget that is used up, where it is not among those that every answer tells of.</summary>
    public BudgetState? Budget { get; init; }
}

/// <summary>What the <c>RateLimit</c> headers tell of a budget.</summary>
public sealed record BudgetState(string Name, int Quota, int WindowSeconds, int Remaining, int ResetSeconds);

/// <summary>The codes of the HTTP and hub contract.</summary>
public static class ProblemCodes
{
    public const string InvalidRequest = "invalid-request";
    public const string Unauthenticated = "unauthenticated";
    public const string NotAllowed = "not-allowed";
    public const string Blocked = "blocked";
    public const string Banned = "banned";
    public const string NotAContact = "not-a-contact";
    public const string ScopeMissing = "scope-missing";
    public const string NotFound = "not-found";
    public const string ConversationClosed = "conversation-closed";
    public const string ConversationArchived = "conversation-archived";
    public const string GroupFull = "group-full";
    public const string AlreadyExists = "already-exists";
    public const string DirectIsFixed = "direct-is-fixed";
    public const string LastOwner = "last-owner";
    public const string RequestPending = "request-pending";
    public const string EditWindowPassed = "edit-window-passed";
    public const string DeleteWindowPassed = "delete-window-passed";
    public const string MessageDeleted = "message-deleted";
    public const string LimitReached = "limit-reached";
    public const string IdempotencyInProgress = "idempotency-in-progress";
    public const string UnsafeFile = "unsafe-file";
    public const string UndecodableFile = "undecodable-file";
    public const string IdempotencyKeyReused = "idempotency-key-reused";
    public const string CursorExpired = "cursor-expired";
    public const string VersionMismatch = "version-mismatch";
    public const string MethodNotAllowed = "method-not-allowed";
    public const string NotAcceptable = "not-acceptable";
    public const string RequestTimeout = "request-timeout";
    public const string HeadersTooLarge = "headers-too-large";
    public const string TooLarge = "too-large";
    public const string UnsupportedMedia = "unsupported-media";
    public const string RangeNotSatisfiable = "range-not-satisfiable";
    public const string RateLimited = "rate-limited";
    public const string Unavailable = "unavailable";
    public const string Internal = "internal";
}

/// <summary>A rule that said no. The API and the hub turn it into an answer, in one place each.</summary>
public sealed class RuleException(IReadOnlyList<Problem> problems) : Exception(problems[0].Detail)
{
    public RuleException(Problem problem)
        : this([problem])
    {
    }

    /// <summary>All that is wrong; more than one only for <see cref="ProblemCodes.InvalidRequest"/>.</summary>
    public IReadOnlyList<Problem> Problems { get; } = problems;

    public Problem Problem => Problems[0];

    /// <summary>The same refusal where the object it speaks of is a member of the request.</summary>
    public RuleException Under(string member) =>
        new([.. Problems.Select(problem => problem with { Pointer = problem.Pointer?.Replace("#", "#/" + member, StringComparison.Ordinal) })]);
}

/// <summary>Refusals that no aggregate owns.</summary>
public static class CommonErrors
{
    /// <summary>The same answer for what is absent and for what the caller may not see.</summary>
    public static RuleException NotFound() => new(new Problem(ProblemCodes.NotFound, "There is nothing here that you can see."));

    public static RuleException Invalid(string pointer, string detail) => new(new Problem(ProblemCodes.InvalidRequest, detail, pointer));

    public static RuleException VersionMismatch() => new(new Problem(
        ProblemCodes.VersionMismatch, "It has another version than the one in If-Match; read it again and decide anew."));

    public static RuleException UserNeeded() =>
        Invalid("#/X-User-Id", "This call is made for a user: send the X-User-Id header beside the service key, or a user token.");
}
