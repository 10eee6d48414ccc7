using System.Globalization;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Benchmarks.Data;

/// <summary>A conversation that is to be loaded, with what can be told of its messages without making them.</summary>
sealed class PlannedConversation(int number, int[] members, int size, long firstAt, long lastAt)
{
    const string Words =
        "the parcel left the depot this morning and should be with you before noon, thank you for waiting; the driver will ring when "
        + "he is near, and if nobody is in he will leave it with the neighbour on the left as you asked last time. ";

    static readonly string[] Emojis = ["👍", "❤️", "🎉"];

    public ConversationId Id { get; } = ConversationId.New(Instant.FromUnixTimeTicks(firstAt * 10));

    /// <summary>Users, the opener or owner first.</summary>
    public int[] Members => members;

    public bool IsDirect => members.Length == 2;

    /// <summary>Its messages, which is also its last seq.</summary>
    public int Size => size;

    /// <summary>Microseconds since 1970, as everywhere here.</summary>
    public long FirstAt => firstAt;

    public Guid LastMessageId { get; set; }

    public long LastMessageAt { get; set; }

    public string? Slug { get; init; }

    /// <summary>Times in order, never two alike: evenly spread, each moved by chance within its share.</summary>
    public IEnumerable<long> Times(Random random)
    {
        var share = Math.Max((lastAt - firstAt) / size, 1);
        for (var i = 0L; i < size; i++)
            yield return firstAt + (i * share) + random.NextInt64(share);
    }

    /// <summary>One in fifty, by each member for oneself.</summary>
    public bool IsStarredBy(int member) => Mix(member) % 50 == 0;

    /// <summary>One in a hundred, by each member for oneself.</summary>
    public bool IsArchivedBy(int member) => Mix(member) % 100 == 1;

    /// <summary>Members take turns, so the newest of each lies among the last few.</summary>
    public int SenderOf(int seq) => members[seq % members.Length];

    /// <summary>System messages in groups, deleted ones in direct conversations; never the newest.</summary>
    public bool IsGap(int seq) => seq < size && Mix(seq) % 97 == 0;

    public int? MentionedBy(int seq) => !IsDirect && seq % 25 == 0 && !IsGap(seq) ? members[(seq + 1) % members.Length] : null;

    /// <summary>One message in forty is an image; what is a gap is none.</summary>
    public bool HasImage(int seq) => Mix(seq + 700_000) % 40 == 0 && !IsGap(seq);

    /// <summary>One message in three hundred.</summary>
    public bool IsPinned(int seq) => Mix(seq + 800_000) % 300 == 0 && !IsGap(seq);

    /// <summary>One message in a thousand, by the last member for oneself.</summary>
    public bool IsHidden(int seq) => seq < size && Mix(seq + 900_000) % 1_000 == 0;

    /// <summary>
    /// One message in ten has been reacted to: with one to three emoji, each by one to a third of the members. What is a gap has not.
    /// </summary>
    public IEnumerable<(string Emoji, int[] Members)> ReactionsTo(int seq)
    {
        var mixed = Mix(seq + 500_000);
        if (mixed % 10 != 0 || IsGap(seq))
            yield break;
        for (var i = 0; i < 1 + (int)(mixed / 10 % 3); i++)
        {
            var count = 1 + (int)(mixed / 30 % Math.Max(members.Length / 3, 1));
            yield return (Emojis[i],
                [.. Enumerable.Range(0, count).Select(member => members[(seq + (member * 3) + i) % members.Length]).Distinct()]);
        }
    }

    /// <summary>
    /// Words that are in most messages, and the number of an order: the first is in every tenth, most are in a handful of all.
    /// </summary>
    public string TextOf(int seq)
    {
        var mixed = Mix(seq);
        var order = (int)Math.Pow(Shape.Orders, Mix(seq + 2_000_000) / (double)uint.MaxValue);
        return string.Create(
            CultureInfo.InvariantCulture, $"{Words.AsSpan((int)(mixed % 80), 20 + (int)(mixed / 80 % 120))}: order {order}");
    }

    /// <summary>A quarter of the members is behind by up to 20; nobody has what they sent themselves still to read.</summary>
    public int ReadBy(int memberIndex)
    {
        var turn = (size - memberIndex) % members.Length;
        var newestOwn = size - (turn < 0 ? turn + members.Length : turn);
        var mixed = Mix(memberIndex + 1_000_000);
        var behind = mixed % 4 == 0 ? (int)(mixed / 4 % 20) : 0;
        return Math.Max(Math.Max(newestOwn, size - behind), 0);
    }

    uint Mix(int seq)
    {
        var x = ((uint)number * 2_654_435_761u) ^ ((uint)seq * 2_246_822_519u);
        x = (x ^ (x >> 15)) * 2_246_822_519u;
        return x ^ (x >> 13);
    }
}
