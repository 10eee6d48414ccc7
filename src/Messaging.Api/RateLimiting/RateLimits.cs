using Messaging.Domain.Common;

namespace Messaging.Api.RateLimiting;

/// <summary>What is counted; its name stands in the <c>RateLimit</c> headers.</summary>
public enum RateLimitPolicy
{
    Requests,
    Send,
}

/// <summary>What one call took, and what it left.</summary>
/// <param name="Allowed">Whether it may go on.</param>
/// <param name="Quota">Calls per window.</param>
/// <param name="Remaining">Calls left in the window.</param>
/// <param name="ResetSeconds">Whole seconds until the quota is full again, rounded up.</param>
public readonly record struct RateLimitState(RateLimitPolicy Policy, bool Allowed, int Quota, int Remaining, int ResetSeconds)
{
    /// <summary>What the client is told when it is not allowed.</summary>
    public Problem Problem => new(
        ProblemCodes.RateLimited, $"More than {Quota} per minute ({Name}); go on in {ResetSeconds} s.") { RetryAfterSeconds = ResetSeconds };

    public string Name => Policy is RateLimitPolicy.Send ? "send" : "requests";
}

/// <summary>The budgets of callers, kept in this process. The hub takes from the same ones as REST.</summary>
public sealed class RateLimits(RateLimitSettings settings, TimeProvider time)
{
    public const int WindowSeconds = 60;

    // A service key that acts as no user speaks for all of them, or syncs them: it gets a multiple of a user's budget.
    private const int ServiceFactor = 10;

    private readonly RateLimitWindows requests = new(time);
    private readonly RateLimitWindows sends = new(time);

    public bool Enabled => settings.Enabled;

    /// <summary>Takes one from the budget of <paramref name="key"/>, which <see cref="Security.CallerKeys"/> makes. Always allowed while switched off.</summary>
    public RateLimitState TryTake(RateLimitPolicy policy, string key)
    {
        var perUser = policy is RateLimitPolicy.Send ? settings.SendPerMinute : settings.RequestsPerMinute;
        var quota = key.StartsWith("key:", StringComparison.Ordinal) ? (int)Math.Min((long)perUser * ServiceFactor, int.MaxValue) : perUser;
        if (!settings.Enabled)
            return new(policy, Allowed: true, quota, quota, 0);
        var (used, resetSeconds) = (policy is RateLimitPolicy.Send ? sends : requests).Count(key, quota);
        return new(policy, used <= quota, quota, Math.Max(quota - used, 0), resetSeconds);
    }
}
