using Messaging.Application.Search;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Plans;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Reading;

/// <summary>
/// Searches of a user in 1,000 conversations, one at a time: for words that many messages have, and for some that few have.
/// </summary>
sealed class SearchBenchmark(Bench bench)
{
    public async Task RunAsync()
    {
        bench.Report.Table("search: GET /v1/search/messages, 30 a page, somebody in 1,000 conversations");
        await MeasureAsync("a common word", _ => "driver");
        await MeasureAsync("the beginning of a common word", _ => "neigh");
        await MeasureAsync("two common words", _ => "parcel%20driver");
        await MeasureAsync("a common phrase", _ => "%22the%20driver%20will%20ring%22");
        await MeasureAsync("a rare word", Order);
        await MeasureAsync("a rare word and a common one", number => $"{Order(number)}%20driver");
        await MeasureAsync("a word that nobody wrote", _ => "zebra");
    }

    // Numbers that a few of the user's messages have.
    static string Order(int number) => (2_000 + (number * 173 % 8_000)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    async Task MeasureAsync(string what, Func<int, string> words)
    {
        if (!bench.Wants(what))
            return;
        var user = Shape.UserId(new Shape(bench.Options.Messages).Busy);
        byte[][] requests =
            [.. Enumerable.Range(0, 50).Select(number => bench.Service.Requests.Get(user, $"/v1/search/messages?q={words(number)}"))];
        using var reader = new PageReader(
            await Load.HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), requests, number: 0, orEmpty: true);
        await reader.TryAsync();
        await bench.MeasureAloneAsync(what, 1, _ => reader.ReadAsync());
    }

    /// <summary>The statement that finds, over sixteen days of all of somebody's conversations.</summary>
    public static IEnumerable<HotStatement> Explained(Guid[] conversations, string user) =>
        new (string Name, string Query)[] { ("a common word", "('driver')"), ("a rare word", "('4000')"),
            ("the beginning of one", "('neigh':*)") }.Select(part =>
            new HotStatement(
                $"Search: {part.Name}", Statements.Of<SearchMessagesHandler>("HitsSql"), Background: false,
                ("ConversationIds", NpgsqlDbType.Array | NpgsqlDbType.Uuid, conversations),
                ("Query", NpgsqlDbType.Text, part.Query.Replace("'", "''", StringComparison.Ordinal)),
                ("Start", NpgsqlDbType.TimestampTz, DateTime.UtcNow.AddDays(-16)), ("End", NpgsqlDbType.TimestampTz, DateTime.UtcNow),
                ("BeforeTime", NpgsqlDbType.TimestampTz, new DateTime(9999, 1, 1, 0, 0, 0, DateTimeKind.Utc)),
                ("BeforeId", NpgsqlDbType.Uuid, Guid.Empty),
                ("SenderId", NpgsqlDbType.Text, null), ("UserId", NpgsqlDbType.Text, user), ("Take", NpgsqlDbType.Integer, 31))
            {
                PerValues = true,
            });
}
