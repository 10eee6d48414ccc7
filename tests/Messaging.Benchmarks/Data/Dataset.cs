namespace Messaging.Benchmarks.Data;

/// <summary>
/// All conversations of a database and the times of their messages: mostly direct ones, some groups, two long histories, and one user in
/// thousands of conversations. Activity lies over the whole span, more of it lately.
/// </summary>
sealed class Dataset
{
    const long Hour = 3_600_000_000;

    readonly Random random = new(20_261_120);
    readonly List<PlannedConversation> conversations = [];
    readonly long newest;
    readonly long oldest;

    public Dataset(Shape shape, DateTime now)
    {
        newest = (now - DateTime.UnixEpoch).Ticks / 10;
        oldest = newest - (Shape.Span.Ticks / 10);
        var large = shape.LargeGroups * shape.Messages / 2_500;
        var small = shape.Messages / 12;
        AddGroups(shape, shape.LargeGroups, Shape.LargeGroup, large / shape.LargeGroups);
        AddGroups(shape, shape.SmallGroups, Shape.SmallGroup, small / shape.SmallGroups);
        AddDirects(shape, shape.Messages - shape.LongHistory - shape.LongestHistory - large - small);
        AddHistory(shape, shape.LongHistory);
        // Chance decides on the sizes of the others: what is left makes the sum exact.
        AddHistory(shape, shape.Messages - conversations.Sum(c => c.Size));
        Oldest = DateTime.UnixEpoch.AddTicks(oldest * 10);
    }

    public IReadOnlyList<PlannedConversation> Conversations => conversations;

    public DateTime Oldest { get; }

    /// <summary>Every message in order of time, as (microseconds since the oldest) × 2^18 + number of its conversation.</summary>
    public long[] Timeline()
    {
        var times = new long[conversations.Sum(c => c.Size)];
        var next = 0;
        for (var number = 0; number < conversations.Count; number++)
        {
            foreach (var time in conversations[number].Times(random))
                times[next++] = ((time - oldest) << Shape.ConversationBits) | (uint)number;
        }

        Array.Sort(times);
        return times;
    }

    /// <summary>What an entry of <see cref="Timeline"/> stands for.</summary>
    public (long Time, PlannedConversation Conversation) Entry(long entry) =>
        ((entry >> Shape.ConversationBits) + oldest, conversations[(int)(entry & ((1 << Shape.ConversationBits) - 1))]);

    void AddHistory(Shape shape, int size) => Add(MembersOf(shape, Shape.HistoryGroup), size, oldest, newest - Hour, $"history-{size}");

    void AddGroups(Shape shape, int count, int members, int size)
    {
        for (var i = 0; i < count; i++)
        {
            var (first, last) = Lifetime(size);
            Add(MembersOf(shape, members), size, first, last, $"group-{members}-{i}");
        }
    }

    void AddDirects(Shape shape, int messages)
    {
        var others = shape.ConversationsOfBusiest + shape.ConversationsOfBusy;
        var regulars = (shape.Directs - others) * 3 / 4;
        for (var i = 0; i < shape.Directs; i++)
        {
            var size = Skewed(messages / (double)shape.Directs);
            var (first, last) = Lifetime(size);
            if (i < shape.ConversationsOfBusiest)
            {
                last = newest - Hour - ((newest - oldest) / shape.ConversationsOfBusiest * i * 9 / 10);
                Add([Shape.Busiest, i + 1], size, Math.Max(oldest, last - (30 * 24 * Hour)), last);
            }
            else if (i < others)
            {
                Add([shape.Busy, i + 1], size, first, last);
            }
            else
            {
                var j = i - others;
                var pair = j < regulars
                    ? Pair(j, 1, shape.Regulars) : Pair(j - regulars, 1 + shape.Regulars, shape.Users - shape.Regulars - 2);
                Add(pair, size, first, last);
            }
        }
    }

    // Round after round, everybody of the range with somebody some way on: no pair comes twice.
    static int[] Pair(int number, int from, int count)
    {
        var round = number / count;
        return [from + (number % count), from + ((number + 1 + (round * 37)) % count)];
    }

    int[] MembersOf(Shape shape, int count)
    {
        var start = random.Next(shape.Regulars);
        return [.. Enumerable.Range(0, count).Select(i => 1 + ((start + (i * 3)) % shape.Regulars))];
    }

    // The mean stays, many are short, a few are ten times as long.
    int Skewed(double mean) => 1 + (int)Math.Round(-Math.Log(1 - random.NextDouble()) * (mean - 1));

    (long First, long Last) Lifetime(int size)
    {
        var last = newest - Hour - (long)((newest - oldest - (48 * Hour)) * Math.Pow(random.NextDouble(), 2.5));
        var length = Math.Min(size * Hour * (1 + random.Next(48)), last - oldest);
        return (last - Math.Max(length, Hour), last);
    }

    void Add(int[] members, int size, long firstAt, long lastAt, string? slug = null) =>
        conversations.Add(new(conversations.Count, members, size, Math.Max(firstAt, oldest), lastAt) { Slug = slug });
}
