namespace Messaging.Application.Search;

/// <summary>
/// Who rests, for how long still. Bounded: beyond so many, those who began first are forgotten, since memory is not for strangers to fill.
/// </summary>
public sealed class Cooldowns(TimeSpan length, int most, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> begun = new(StringComparer.Ordinal);
    // All rests are of one length: who began first ends first.
    private readonly Queue<string> oldest = new();

    /// <summary>Begins a rest; one that lasts goes on.</summary>
    public void Begin(string who)
    {
        lock (gate)
        {
            while (oldest.TryPeek(out var next) && (begun.Count >= most || LeftSince(begun[next]) <= TimeSpan.Zero))
                begun.Remove(oldest.Dequeue());
            if (begun.TryAdd(who, time.GetTimestamp()))
                oldest.Enqueue(who);
        }
    }

    /// <summary>How much longer somebody rests; zero for who does not.</summary>
    public TimeSpan Left(string who)
    {
        lock (gate)
            return begun.TryGetValue(who, out var start) && LeftSince(start) is { Ticks: > 0 } left ? left : TimeSpan.Zero;
    }

    private TimeSpan LeftSince(long start) => length - time.GetElapsedTime(start);
}
