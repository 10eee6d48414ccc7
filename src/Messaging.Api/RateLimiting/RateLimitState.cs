using Messaging.Domain.Common;

namespace Messaging.Api.RateLimiting;

/// <summary>What one call took from a budget, and what it left.</summary>
/// <param name="Name">The budget's, as it stands in the <c>RateLimit</c> headers.</param>
/// <param name="Allowed">Whether it may go on.</param>
/// <param name="Quota">Calls per window.</param>
/// <param name="WindowSeconds">The window's length.</param>
/// <param name="Remaining">Calls left in the window.</param>
/// <param name="ResetSeconds">Whole seconds until the quota is full again, rounded up.</param>
public readonly record struct RateLimitState(string Name, bool Allowed, int Quota, int WindowSeconds, int Remaining, int ResetSeconds)
{
    /// <summary>What the client is told when it is not allowed.</summary>
    public Problem Problem => new(ProblemCodes.RateLimited, $"More than {Quota} per {Window} ({Name}); go on in {ResetSeconds} s.")
    {
        RetryAfterSeconds = ResetSeconds,
    };

    private string Window => WindowSeconds switch
    {
        60 => "minute",
        _ when WindowSeconds % 60 == 0 => $"{WindowSeconds / 60} minutes",
        _ => $"{WindowSeconds} s",
    };
}
