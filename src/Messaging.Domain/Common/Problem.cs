namespace Messaging.Domain.Common;

/// <summary>Why something was refused: a stable code that clients branch on, and a sentence that says what to do.</summary>
/// <param name="Code">One of <see cref="ProblemCodes"/>.</param>
/// <param name="Detail">For the person who reads the answer; never holds a secret or a message's text.</param>
/// <param name="Member">
/// The member of the request that is wrong: names, and places in lists, from the outside in, such as <c>mentions/3</c>; empty for all of
/// it.
/// </param>
public sealed record Problem(string Code, string Detail, string? Member = null)
{
    /// <summary>Seconds after which a repeat may succeed.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>The budget that is used up, where it is not among those that every answer tells of.</summary>
    public BudgetState? Budget { get; init; }
}

/// <summary>How much of something may be done within a time, and how much of it is left.</summary>
public sealed record BudgetState(string Name, int Quota, int WindowSeconds, int Remaining, int ResetSeconds);

/// <summary>The codes of what rules refuse: those of the contract but for the first, which the edge puts into its own words.</summary>
public static class ProblemCodes
{
    /// <summary>Who acts is no user, and this is for users; where a member is named, it may also be another.</summary>
    public const string UserNeeded = "user-needed";

    public const string InvalidRequest = "invalid-request";
    public const string Unauthenticated = "unauthenticated";
    public const string NotAllowed = "not-allowed";
    public const string Blocked = "blocked";
    public const string Banned = "banned";
    public const string NotAContact = "not-a-contact";
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
    public const string UnsafeFile = "unsafe-file";
    public const string UndecodableFile = "undecodable-file";
    public const string WebhookDisabled = "webhook-disabled";
    public const string IdempotencyKeyReused = "idempotency-key-reused";
    public const string CursorExpired = "cursor-expired";
    public const string VersionMismatch = "version-mismatch";
    public const string TooLarge = "too-large";
    public const string UnsupportedMedia = "unsupported-media";
    public const string RateLimited = "rate-limited";
    public const string Unavailable = "unavailable";

    /// <summary>An error in the service, which no rule is.</summary>
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
        new([.. Problems.Select(problem => problem with { Member = Below(member, problem.Member) })]);

    private static string? Below(string member, string? inner) => inner switch
    {
        null => null,
        "" => member,
        _ => $"{member}/{inner}",
    };
}

/// <summary>Refusals that no aggregate owns.</summary>
public static class CommonErrors
{
    /// <summary>Too many wait for the same already.</summary>
    public static RuleException Busy() => new(new Problem(
        ProblemCodes.Unavailable, "Too much is being written just now; nothing is lost by sending the same request again.")
        { RetryAfterSeconds = 1 });

    /// <summary>The same answer for what is absent and for what the caller may not see.</summary>
    public static RuleException NotFound() => new(new Problem(ProblemCodes.NotFound, "Not found, or not visible to you."));

    public static RuleException Invalid(string member, string detail) => new(new Problem(ProblemCodes.InvalidRequest, detail, member));

    /// <summary>Refuses what has another version than one of those that are expected.</summary>
    /// <param name="expected">Any when null.</param>
    public static void EnsureVersion(IReadOnlyList<long>? expected, long version)
    {
        if (expected?.Contains(version) == false)
            throw new RuleException(new Problem(
                ProblemCodes.VersionMismatch, "It has another version than the expected one; read it again and decide anew."));
    }

    public static RuleException UserNeeded() => new(new Problem(ProblemCodes.UserNeeded, "This is done for a user."));
}
