using System.Collections.Concurrent;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// Counts by key in windows that begin with a key's first call, on whichever node. Bounded: beyond <see cref="MaxKeys"/> live keys all
/// begin anew, since memory must not be the attacker's to fill, and no innocent caller pays for it.
/// </summary>
public sealed class RateLimitWindows
{
    public const int MaxKeys = 100_000;

    private readonly ConcurrentDictionary<string, RateLimitWindow> windows = new(StringComparer.Ordinal);
    private readonly string budget;
    private readonly TimeSpan length;
    private readonly TimeProvider time;
    private readonly RateLimitExchange exchange;
    private long sweptAt;
    private int keys;

    public RateLimitWindows(string budget, TimeSpan length, TimeProvider time, RateLimitExchange exchange)
    {
        (this.budget, this.length, this.time, this.exchange, sweptAt) = (budget, length, time, exchange, time.GetTimestamp());
        exchange.Join(budget, this);
    }

    public int Keys => windows.Count;

    /// <summary>Takes one of <paramref name="most"/>, if this node may.</summary>
    public RateLimitTaken Take(string key, int most)
    {
        var window = WindowOf(key);
        var taken = window.Take(most, exchange, out var isDue);
        if (isDue)
            exchange.Tell(window);
        return taken;
    }

    /// <summary>What the key has used on all nodes; null when nothing.</summary>
    public (int Used, int ResetSeconds)? Look(string key) => windows.TryGetValue(key, out var window) ? window.Look() : null;

    /// <summary>Another node tells what the key has used, by node.</summary>
    /// <returns>What it has to be told in turn, if anything.</returns>
    public RateLimitWindow? Hear(string key, TimeSpan age, IEnumerable<KeyValuePair<string, int>> uses)
    {
        if (age >= length)
            return null;
        var window = WindowOf(key);
        return window.Hear(age, uses) ? window : null;
    }

    /// <summary>All windows that are not over.</summary>
    public IEnumerable<RateLimitWindow> InUse()
    {
        var now = time.GetTimestamp();
        return windows.Values.Where(window => !window.IsOver(now));
    }

    private RateLimitWindow WindowOf(string key)
    {
        var now = time.GetTimestamp();
        Sweep(now);
        if (windows.TryGetValue(key, out var window))
            return window;
        window = new RateLimitWindow(budget, key, now, length, time);
        if (!windows.TryAdd(key, window))
            return windows.GetOrAdd(key, window);
        Interlocked.Increment(ref keys);
        return window;
    }

    private void Sweep(long now)
    {
        var last = Interlocked.Read(ref sweptAt);
        // Beside the dictionary's own count, which takes all its locks.
        var full = Volatile.Read(ref keys) >= MaxKeys;
        if (!full && time.GetElapsedTime(last, now) < length)
            return;
        if (Interlocked.CompareExchange(ref sweptAt, now, last) != last)
            return;
        foreach (var (key, window) in windows)
        {
            if (window.IsOver(now))
                windows.TryRemove(key, out _);
        }
        if (windows.Count >= MaxKeys)
            windows.Clear();
        Volatile.Write(ref keys, windows.Count);
    }
}
