using System.Collections.Concurrent;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// Counts by key in windows that begin with a key's first call. Bounded: beyond <see cref="MaxKeys"/> live keys all begin anew,
/// since memory must not be the attacker's to fill, and no innocent caller pays for it.
/// </summary>
public sealed class RateLimitWindows(TimeProvider time)
{
    public const int MaxKeys = 100_000;

    private readonly ConcurrentDictionary<string, Window> windows = new(StringComparer.Ordinal);
    private long sweptAt = time.GetTimestamp();

    public int Keys => windows.Count;

    /// <summary>Counts one more call, but not past one beyond <paramref name="most"/>.</summary>
    public (int Used, int ResetSeconds) Count(string key, int most)
    {
        var now = time.GetTimestamp();
        Sweep(now);
        var window = windows.GetOrAdd(key, static (_, start) => new Window(start), now);
        lock (window)
        {
            if (time.GetElapsedTime(window.Start, now).TotalSeconds >= RateLimits.WindowSeconds)
            {
                window.Start = now;
                window.Used = 0;
            }
            if (window.Used <= most)
                window.Used++;
            var left = RateLimits.WindowSeconds - time.GetElapsedTime(window.Start, now).TotalSeconds;
            return (window.Used, Math.Max((int)Math.Ceiling(left), 1));
        }
    }

    private void Sweep(long now)
    {
        var last = Interlocked.Read(ref sweptAt);
        var full = windows.Count >= MaxKeys;
        if (!full && time.GetElapsedTime(last, now).TotalSeconds < RateLimits.WindowSeconds)
            return;
        if (Interlocked.CompareExchange(ref sweptAt, now, last) != last)
            return;
        foreach (var (key, window) in windows)
        {
            if (time.GetElapsedTime(window.Start, now).TotalSeconds >= RateLimits.WindowSeconds)
                windows.TryRemove(key, out _);
        }
        if (windows.Count >= MaxKeys)
            windows.Clear();
    }

    private sealed class Window(long start)
    {
        public long Start { get; set; } = start;

        public int Used { get; set; }
    }
}
