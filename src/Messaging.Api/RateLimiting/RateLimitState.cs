using Messaging.Domain.Common;

namespace Messaging.Api.RateLimiting;

/// <summary>What one call took from a budget.</summary>
/// <param name="Allowed">Whether it may go on.</param>
/// <param name="Budget">What it left.</param>
public readonly record struct RateLimitState(bool Allowed, BudgetState Budget)
{
    /// <summary>It is not allowed only because the other nodes have not heard yet of what was taken on this one.</summary>
    public bool IsPending { get; init; }

    /// <summary>What the client is told when it is not allowed.</summary>
    public Problem Problem => new(
        ProblemCodes.RateLimited, $"More than {Budget.Quota} per minute ({Budget.Name}); go on in {Budget.ResetSeconds} s.")
    {
        RetryAfterSeconds = Budget.ResetSeconds,
        Budget = Budget,
    };
}
