using System.Collections.Concurrent;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// Counts by key in windows that begin with a key's first call. Bounded: beyond <see cref="MaxKeys"/> live keys all begin anew,
/// since memory must not be the attacker's to fill, and no innocent caller pays for it.
/// </summary>
public sealed class RateLimitWindows(TimeSpan length, TimeProvider time)
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
            if (IsOver(window, now))
            {
                window.Start = now;
                window.Used = 0;
            }
            if (window.Used <= most)
                window.Used++;
            return (window.Used, SecondsLeft(window, now));
        }
    }

    /// <summary>What the key has used; null when nothing.</summary>
    public (int Used, int ResetSeconds)? Look(string key)
    {
        var now = time.GetTimestamp();
        if (!windows.TryGetValue(key, out var window))
            return null;
        lock (window)
            return IsOver(window, now) ? null : (window.Used, SecondsLeft(window, now));
    }

    private bool IsOver(Window window, long now) => time.GetElapsedTime(window.Start, now) >= length;

    private int SecondsLeft(Window window, long now) =>
        Math.Max((int)Math.Ceiling((length - time.GetElapsedTime(window.Start, now)).TotalSeconds), 1);

    private void Sweep(long now)
    {
        var last = Interlocked.Read(ref sweptAt);
        var full = windows.Count >= MaxKeys;
        if (!full && time.GetElapsedTime(last, now) < length)
            return;
        if (Interlocked.CompareExchange(ref sweptAt, now, last) != last)
            return;
        foreach (var (key, window) in windows)
        {
            if (IsOver(window, now))
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
