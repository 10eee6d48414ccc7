namespace Messaging.Api.RateLimiting;

/// <summary>So many calls per window and key, counted in this process. Made by <see cref="RateLimits.Budget"/>; each has windows of its own.</summary>
public sealed class RateLimitBudget(string name, int quota, TimeSpan window, bool isEnabled, TimeProvider time)
{
    // A service key that acts as no user speaks for all of them, or syncs them: it gets a multiple of a user's budget.
    private const int ServiceFactor = 10;

    private readonly RateLimitWindows windows = new(window, time);

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
        new(name, now.Used <= most, most, (int)window.TotalSeconds, Math.Max(most - now.Used, 0), now.ResetSeconds);

    private RateLimitState Full(int most) => new(name, Allowed: true, most, (int)window.TotalSeconds, most, 0);

    private int QuotaOf(string key) =>
        key.StartsWith("key:", StringComparison.Ordinal) ? (int)Math.Min((long)quota * ServiceFactor, int.MaxValue) : quota;
}
