using Messaging.Domain.Common;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// So many calls per minute and key, counted in this process. <see cref="RateLimits.Budget"/> makes those that are not of every caller.
/// </summary>
public sealed class RateLimitBudget(string name, int quota, bool isEnabled, TimeProvider time)
{
    // A service key that acts as no user speaks for all of them, or syncs them: it gets a multiple of a user's budget.
    private const int ServiceFactor = 10;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly RateLimitWindows windows = new(Minute, time);

    /// <summary>False while rate limits are switched off: everything is allowed then, and nothing counted.</summary>
    public bool IsEnabled => isEnabled;

    /// <summary>Takes one from the key's quota.</summary>
    public RateLimitState Take(string key)
    {
        var most = QuotaOf(key);
        return isEnabled ? State(windows.Count(key, most), most) : Full(most);
    }

    /// <summary>Whether there is one left for the key, without taking it: for what only counts when it fails.</summary>
    public RateLimitState Look(string key)
    {
        var most = QuotaOf(key);
        if (!isEnabled || windows.Look(key) is not { } now)
            return Full(most);
        return State(now, most) with { Allowed = now.Used < most };
    }

    private RateLimitState State((int Used, int ResetSeconds) now, int most) =>
        new(now.Used <= most, Left(most, Math.Max(most - now.Used, 0), now.ResetSeconds));

    private RateLimitState Full(int most) => new(Allowed: true, Left(most, most, resetSeconds: 0));

    private BudgetState Left(int most, int remaining, int resetSeconds) =>
        new(name, most, (int)Minute.TotalSeconds, remaining, resetSeconds);

    private int QuotaOf(string key) =>
        key.StartsWith("key:", StringComparison.Ordinal) ? (int)Math.Min((long)quota * ServiceFactor, int.MaxValue) : quota;
}
