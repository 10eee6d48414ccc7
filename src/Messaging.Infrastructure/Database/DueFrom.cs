namespace Messaging.Infrastructure.Database;

/// <summary>
/// From which due time on a worker looks for what is due. As long as anybody has an older snapshot open, such as a dump's, all that was
/// taken and done since is still in the index, and a look from its beginning passes it all. So a look begins a little before the last one
/// that left nothing, or before where the last one ended that had no room for all. It begins at the beginning as soon as it may, then every
/// <see cref="Whole"/>, and every <see cref="WholeOfMany"/> while there is no room for all, as far as <see cref="WholeLooks"/> allow: that
/// finds what another node had locked but did not take, and what was committed more than <see cref="Margin"/> after it became due.
/// </summary>
/// <remarks>Whoever makes a row due writes the time of now, or a later one. For one loop at a time.</remarks>
public sealed class DueFrom(WholeLooks wholeLooks, TimeProvider time)
{
    /// <summary>How long a transaction may take that makes something due as of its beginning, and be noticed as soon as others.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    /// <summary>How much later it is noticed, as long as looks take a small part of it.</summary>
    public static readonly TimeSpan Whole = TimeSpan.FromSeconds(10);

    /// <summary>The same while others are always due, whose locks hide what has been due for longer.</summary>
    public static readonly TimeSpan WholeOfMany = TimeSpan.FromSeconds(1);

    /// <summary>PostgreSQL's -infinity.</summary>
    public static readonly DateTime Beginning = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private DateTime? from;
    private TimeSpan every = Whole;
    private bool isWhole;
    private bool hadWhole;
    private long wholeEnded;
    private long? tried;

    /// <summary>For a loop that looks for nothing else.</summary>
    public DueFrom(TimeProvider time) : this(new WholeLooks(time), time)
    {
    }

    /// <summary>How long ago a look from the beginning was last tried: others come first, also where this one fails each time.</summary>
    public TimeSpan SinceTried => tried is { } last ? time.GetElapsedTime(last) : TimeSpan.MaxValue;

    /// <summary>Whether the next look, which is made at once, may and should be from the beginning.</summary>
    public bool TryBeginWhole()
    {
        isWhole = (!hadWhole || time.GetElapsedTime(wholeEnded) >= every) && wholeLooks.TryBegin();
        if (isWhole)
            tried = time.GetTimestamp();
        return isWhole;
    }

    /// <summary>
    /// Where the next look begins that is not from the beginning. To be asked for before one from the beginning, too: that may fail.
    /// </summary>
    /// <param name="now">By the clock of the due times.</param>
    public DateTime Next(DateTime now)
    {
        isWhole = false;
        return from ??= now - Margin;
    }

    /// <summary>Where the next look begins of a loop that makes one at a time; <see cref="Looked"/> follows in any case.</summary>
    /// <param name="now">By the clock of the due times.</param>
    public DateTime NextOrWhole(DateTime now) => Next(now) is var next && TryBeginWhole() ? Beginning : next;

    /// <summary>Notes that the look has ended or failed.</summary>
    public void Looked() => wholeLooks.End();

    /// <summary>Notes what a look found in the order of the due times.</summary>
    /// <param name="limit">How many it would have taken.</param>
    /// <param name="at">The time up to which it looked, by the clock of the due times.</param>
    public void Found(IReadOnlyCollection<DateTime> due, int limit, DateTime at)
    {
        if (due.Count < limit)
            LeftNothing(at);
        else if (due.Count > 0)
            Ended(due.Max());
    }

    /// <summary>Notes that a look left nothing of what was due.</summary>
    /// <param name="at">The time up to which it looked, by the clock of the due times.</param>
    public void LeftNothing(DateTime at) => Note(at - Margin, Whole);

    /// <summary>Notes that a look took as much as there was room for, in the order of the due times.</summary>
    /// <param name="last">The last due time that it took.</param>
    public void Ended(DateTime last) => Note(last > Beginning + Margin ? last - Margin : Beginning, WholeOfMany);

    private void Note(DateTime next, TimeSpan whole)
    {
        if (isWhole)
            (hadWhole, wholeEnded) = (true, time.GetTimestamp());
        (from, every) = (next, whole);
    }
}
