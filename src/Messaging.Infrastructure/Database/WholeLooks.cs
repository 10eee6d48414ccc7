namespace Messaging.Infrastructure.Database;

/// <summary>
/// Keeps looks from the beginning to a small part of a loop's time, of all that it looks for together: only some at once, and after them
/// none for a multiple of what they took. Each may take long while an older snapshot is open; see <see cref="DueFrom"/>.
/// </summary>
public sealed class WholeLooks(TimeProvider time)
{
    // How long they take is not known then.
    private const int AtFirst = 16;

    // In times of what the last ones took.
    private const int Rest = 20;

    // What took longer was held up, rather than that there was so much to pass.
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    // Whatever else the loop does waits for so long.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(200);

    private int begun;
    private int atOnce = AtFirst;
    private long began;
    private long ended = time.GetTimestamp();
    private TimeSpan rest;

    /// <summary>Whether one more may begin now.</summary>
    public bool TryBegin()
    {
        if (begun >= atOnce || time.GetElapsedTime(ended) < rest)
            return false;
        if (begun++ == 0)
            began = time.GetTimestamp();
        return true;
    }

    /// <summary>Notes that those that have begun have ended, if any.</summary>
    public void End()
    {
        if (begun == 0)
            return;
        var took = time.GetElapsedTime(began);
        // The next ones may be of those that take longer.
        atOnce = took < Longest / 2 ? Math.Max(2 * begun, atOnce) : Math.Max((int)(begun * (Longest / took)), 1);
        rest = Rest * took < LongestRest ? Rest * took : LongestRest;
        (begun, ended) = (0, time.GetTimestamp());
    }
}
