using System.Diagnostics;
using Messaging.Domain.Common;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// So many calls per minute and key, on all nodes together. <see cref="RateLimits.Budget"/> makes those that are not of every caller.
/// </summary>
public sealed class RateLimitBudget(string name, int quota, bool isEnabled, TimeProvider time, RateLimitExchange exchange)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    private readonly RateLimitWindows windows = new(name, Minute, time, exchange);

    /// <summary>False while rate limits are switched off: everything is allowed then, and nothing counted.</summary>
    public bool IsEnabled => isEnabled;

    /// <summary>
    /// Takes one from the key's quota. Where some are left, but not to this node until the others have heard of those it took, it waits
    /// for their word.
    /// </summary>
    public async ValueTask<RateLimitState> TakeAsync(string key, CancellationToken ct)
    {
        var heard = exchange.Heard;
        var state = Take(key);
        var begun = Stopwatch.GetTimestamp();
        while (state.IsPending && Stopwatch.GetElapsedTime(begun) < LongestWait)
        {
            await heard.WaitAsync(AskAgain, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            heard = exchange.Heard;
            state = Take(key);
        }
        return state;
    }

    /// <summary>Takes one from the key's quota, without waiting for anything.</summary>
    public RateLimitState Take(string key)
    {
        var most = QuotaOf(key);
        if (!isEnabled)
            return Full(most);
        var taken = windows.Take(key, most);
        return new RateLimitState(taken.IsTaken, Left(most, taken.Remaining, taken.ResetSeconds)) { IsPending = taken.IsPending };
    }

    /// <summary>Whether there is one left for the key, without taking it: for what only counts when it fails.</summary>
    public RateLimitState Look(string key)
    {
        var most = QuotaOf(key);
        if (!isEnabled || windows.Look(key) is not var (used, resetSeconds))
            return Full(most);
        return new RateLimitState(used < most, Left(most, Math.Max(most - used, 0), resetSeconds));
    }

    private RateLimitState Full(int most) => new(Allowed: true, Left(most, most, resetSeconds: 0));

    private BudgetState Left(int most, int remaining, int resetSeconds) =>
        new(name, most, (int)Minute.TotalSeconds, remaining, resetSeconds);

    private int QuotaOf(string key) =>
        key.StartsWith("key:", StringComparison.Ordinal) ? RateLimits.OfServices(quota) : quota;
}
