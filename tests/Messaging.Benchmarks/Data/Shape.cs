namespace Messaging.Benchmarks.Data;

/// <summary>How many of what a database of so many messages holds; at 5 million: 50,000 users in 200,000 conversations.</summary>
sealed record Shape(int Messages)
{
    /// <summary>The user in 10,000 conversations.</summary>
    public const int Busiest = 0;

    /// <summary>Numbers of orders that messages speak of; the nth is in one of so many messages as n.</summary>
    public const int Orders = 20_000;

    public const int SmallGroup = 12;
    public const int LargeGroup = 300;

    /// <summary>Members of the two conversations with a long history: a number that no other has.</summary>
    public const int HistoryGroup = 13;

    /// <summary>Bits that hold the number of any conversation.</summary>
    public const int ConversationBits = 18;

    /// <summary>What lies between the oldest message and the newest.</summary>
    public static TimeSpan Span { get; } = TimeSpan.FromDays(395);

    public int Users => Messages / 100;

    public int Conversations => Math.Min(Messages / 25, 1 << (ConversationBits - 1) | 1 << (ConversationBits - 2));

    public int SmallGroups => Conversations / 100;

    public int LargeGroups => Math.Max(Conversations / 2_000, 10);

    /// <summary>More than 20,000 messages in one conversation.</summary>
    public int LongHistory => Messages / 230;

    /// <summary>More than 100,000 messages in one conversation, or thereabouts.</summary>
    public int LongestHistory => Messages / 40;

    public int Directs => Conversations - SmallGroups - LargeGroups - 2;

    public int ConversationsOfBusiest => Math.Min(10_000, Directs / 10);

    /// <summary>The user in 1,000 conversations.</summary>
    public int Busy => Users - 1;

    public int ConversationsOfBusy => Math.Min(1_000, Directs / 10);

    /// <summary>Those who talk most: each is in about 40 conversations.</summary>
    public int Regulars => Users * 16 / 100;

    public static string UserId(int user) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"u{user:00000}");
}
