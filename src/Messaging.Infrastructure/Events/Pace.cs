namespace Messaging.Infrastructure.Events;

/// <summary>Whether events arrive so fast that it pays to wait a moment for more: 200 a second or more at the last count.</summary>
public sealed class Pace(TimeProvider clock)
{
    private const int FastPerSecond = 200;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);

    private long began = clock.GetTimestamp();
    private int count;
    private bool fast;

    public void Count(int events) => count += events;

    /// <summary>Starts a new count after at least a quarter of a second, so that a silence is noticed.</summary>
    public bool IsFast()
    {
        var elapsed = clock.GetElapsedTime(began);
        if (elapsed >= Shortest)
            (fast, count, began) = (count >= FastPerSecond * elapsed.TotalSeconds, 0, clock.GetTimestamp());
        return fast;
    }
}
