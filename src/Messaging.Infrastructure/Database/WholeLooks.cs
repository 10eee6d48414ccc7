namespace Messaging.Infrastructure.Database;

/// <summary>
/// Keeps looks from the beginning to a small part of a loop's time, of all that it looks for together: some one after the other, and then
/// none for a multiple of what they took. Each may take long while an older snapshot is open; see <see cref="DueFrom"/>.
/// </summary>
public sealed class WholeLooks(TimeProvider time)
{
    // In times of what the last ones took.
    private const int Rest = 20;

    // What took longer was held up, rather than that there was so much to pass.
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    // Whatever else the loop does waits for so long, and for the last one.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(20);

    private bool hasBegun;
    private long began;
    private long ended = time.GetTimestamp();
    private TimeSpan rest;

    /// <summary>Whether one may begin now.</summary>
    public bool TryBegin()
    {
        if (hasBegun)
            return time.GetElapsedTime(began) < Longest;
        if (time.GetElapsedTime(ended) < rest)
            return false;
        (hasBegun, began) = (true, time.GetTimestamp());
        return true;
    }

    /// <summary>Notes that those that have begun have ended, or failed, if any.</summary>
    public void End()
    {
        if (!hasBegun)
            return;
        var took = Rest * time.GetElapsedTime(began);
        rest = took < LongestRest ? took : LongestRest;
        (hasBegun, ended) = (false, time.GetTimestamp());
    }
}
