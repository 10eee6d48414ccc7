namespace Messaging.Api.RateLimiting;

/// <summary>What was used of a budget when the other nodes were told.</summary>
/// <param name="Gone">What nodes have used that cannot tell it any more: those that come after them would not learn of it.</param>
public sealed record RateLimitCount(
    RateLimitWindow Window, int Generation, int AgeMilliseconds, int Used, IReadOnlyDictionary<string, int> Gone);

/// <summary>What one call came to.</summary>
/// <param name="IsTaken">Whether it may go on.</param>
/// <param name="Remaining">What this node may still admit of what is left to the caller, as far as it knows.</param>
/// <param name="IsPending">It is refused for now, and is to ask again when the others have confirmed what was taken here.</param>
public readonly record struct RateLimitTaken(bool IsTaken, int Remaining, int ResetSeconds, bool IsPending);

/// <summary>
/// The use of one key's budget, on this node and on the others. This node takes beyond what all others have confirmed at most its share of
/// what it knows to be left. A node confirms what another has used only after it has told what it has used itself: therefore whoever was
/// confirmed knows at least what the others had used by then, and the shares of all together are never more than what is left.
/// </summary>
public sealed class RateLimitWindow(string budget, string key, long start, TimeSpan length, TimeProvider time)
{
    // The others are told of every twentieth part of a budget, so that callers who use little of theirs cost nothing.
    private const int Parts = 20;

    // Of as many nodes as start anew in a minute.
    private const int MostGone = 20;

    private readonly Lock gate = new();
    private Dictionary<string, int>? others;
    private long start = start;
    private int generation;
    private int used;
    private int usedByOthers;
    private int confirmed;
    private int told;

    public string Budget => budget;

    public string Key => key;

    public bool IsOver(long now) => time.GetElapsedTime(Volatile.Read(ref start), now) >= length;

    /// <summary>Takes one, if this node may.</summary>
    /// <param name="isDue">Whether the others should be told.</param>
    public RateLimitTaken Take(int most, RateLimitExchange exchange, out bool isDue)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            BeginIfOver(now);
            var (nodes, isUp) = (exchange.Nodes, exchange.IsUp);
            var left = most - usedByOthers - confirmed;
            var share = (Math.Max(left, 0) + nodes - 1) / nodes;
            var isTaken = used - confirmed < share && used + usedByOthers < most;
            if (isTaken)
                used++;
            isDue = nodes > 1 && used - told >= Math.Max(Math.Min(most / Parts, share / 2), 1);
            var isPending = !isTaken && isUp && used + usedByOthers < most;
            var remaining = isUp || nodes == 1 ? most - used - usedByOthers : share - (used - confirmed);
            return new RateLimitTaken(isTaken, isPending ? 0 : Math.Max(remaining, 0), isPending ? 1 : SecondsLeft(now), isPending);
        }
    }

    /// <summary>What all nodes have used; null when nothing.</summary>
    public (int Used, int ResetSeconds)? Look()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            return IsOver(now) ? null : (used + usedByOthers, SecondsLeft(now));
        }
    }

    /// <summary>What the others are to be told; null when there is nothing.</summary>
    /// <param name="present">The nodes that tell of themselves.</param>
    public RateLimitCount? Report(IReadOnlySet<string> present)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (IsOver(now) || used + usedByOthers == 0)
                return null;
            var gone = others?.Where(pair => !present.Contains(pair.Key)).Take(MostGone).ToDictionary() ?? [];
            if (used == 0 && gone.Count == 0)
                return null;
            told = used;
            return new RateLimitCount(this, generation, (int)time.GetElapsedTime(start, now).TotalMilliseconds, used, gone);
        }
    }

    /// <summary>All others know of it.</summary>
    public void Confirm(RateLimitCount count)
    {
        lock (gate)
        {
            if (count.Generation == generation)
                confirmed = Math.Max(confirmed, count.Used);
        }
    }

    public bool IsUnconfirmed(RateLimitCount count)
    {
        lock (gate)
            return count.Generation == generation && confirmed < count.Used;
    }

    /// <summary>Another node tells what was used since its window began; both go on with the earlier beginning.</summary>
    /// <param name="uses">What it and those that are gone have used, as far as it knows.</param>
    /// <returns>Whether it has to be told what this one has used.</returns>
    public bool Hear(TimeSpan age, IEnumerable<KeyValuePair<string, int>> uses)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            BeginIfOver(now);
            start = Math.Min(start, now - (long)(age.TotalSeconds * time.TimestampFrequency));
            others ??= new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var (node, itsUsed) in uses)
            {
                var before = others.GetValueOrDefault(node);
                others[node] = Math.Max(before, itsUsed);
                usedByOthers += others[node] - before;
            }
            return used > told;
        }
    }

    private void BeginIfOver(long now)
    {
        if (!IsOver(now))
            return;
        (start, used, usedByOthers, confirmed, told) = (now, 0, 0, 0, 0);
        generation++;
        others = null;
    }

    private int SecondsLeft(long now) => Math.Max((int)Math.Ceiling((length - time.GetElapsedTime(start, now)).TotalSeconds), 1);
}
