namespace Messaging.Infrastructure.Events;

/// <summary>Whether events come so fast that a moment's waiting for more of them pays: at 200 a second or more by the last count.</summary>
public sealed class Pace(TimeProvider clock)
{
    private const int FastPerSecond = 200;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);

    private long began = clock.GetTimestamp();
    private int count;
    private bool fast;

    public void Count(int events) => count += events;

    /// <summary>Counts anew after a quarter of a second or more: who asks after a silence hears of the silence.</summary>
    public bool IsFast()
    {
        var elapsed = clock.GetElapsedTime(began);
        if (elapsed >= Shortest)
            (fast, count, began) = (count >= FastPerSecond * elapsed.TotalSeconds, 0, clock.GetTimestamp());
        return fast;
    }
}
