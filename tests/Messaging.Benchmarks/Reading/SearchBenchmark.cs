using Messaging.Application.Search;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Plans;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Reading;

/// <summary>Searches of a user in 1,000 conversations: for words that many messages have, and for some that few have.</summary>
sealed class SearchBenchmark(Bench bench)
{
    const int Readers = 16;

    public async Task RunAsync()
    {
        bench.Report.Table("search: GET /v1/search/messages, 30 a page, somebody in 1,000 conversations");
        await MeasureAsync("a common word", 1, _ => "driver");
        await MeasureAsync("a common word", Readers, _ => "driver");
        await MeasureAsync("the beginning of a common word", Readers, _ => "neigh");
        await MeasureAsync("two common words", Readers, _ => "parcel%20driver");
        await MeasureAsync("a common phrase", Readers, _ => "%22the%20driver%20will%20ring%22");
        await MeasureAsync("a rare word", 1, Order);
        await MeasureAsync("a rare word", Readers, Order);
        await MeasureAsync("a rare word and a common one", Readers, number => $"{Order(number)}%20driver");
        await MeasureAsync("a word that nobody wrote", Readers, _ => "zebra");
    }

    // Numbers that a few of the user's messages have.
    static string Order(int number) => (2_000 + (number * 173 % 8_000)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    async Task MeasureAsync(string what, int readers, Func<int, string> words)
    {
        if (!bench.Wants(what))
            return;
        var user = Shape.UserId(new Shape(bench.Options.Messages).Busy);
        byte[][] requests = [.. Enumerable.Range(0, 50).Select(number => bench.Service.Requests.Get(user, $"/v1/search/messages?q={words(number)}"))];
        var clients = new List<PageReader>();
        try
        {
            for (var i = 0; i < readers; i++)
                clients.Add(new(await Load.HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), requests, i, orEmpty: true));
            await clients[0].TryAsync();
            await bench.MeasureAloneAsync(what, readers, client => clients[client].ReadAsync());
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    /// <summary>The statement that finds, over sixteen days of all of somebody's conversations.</summary>
    public static IEnumerable<HotStatement> Explained(Guid[] conversations, string user) =>
        new (string Name, string Query)[] { ("a common word", "('driver')"), ("a rare word", "('4000')"), ("the beginning of one", "('neigh':*)") }.Select(part =>
            new HotStatement(
                $"Search: {part.Name}", Statements.Of<SearchMessagesHandler>("HitsSql"), Background: false,
                ("ConversationIds", NpgsqlDbType.Array | NpgsqlDbType.Uuid, conversations), ("Query", NpgsqlDbType.Text, part.Query.Replace("'", "''", StringComparison.Ordinal)),
                ("Start", NpgsqlDbType.TimestampTz, DateTime.UtcNow.AddDays(-16)), ("End", NpgsqlDbType.TimestampTz, DateTime.UtcNow),
                ("BeforeTime", NpgsqlDbType.TimestampTz, new DateTime(9999, 1, 1, 0, 0, 0, DateTimeKind.Utc)), ("BeforeId", NpgsqlDbType.Uuid, Guid.Empty),
                ("SenderId", NpgsqlDbType.Text, null), ("UserId", NpgsqlDbType.Text, user), ("Take", NpgsqlDbType.Integer, 31))
            {
                PerValues = true,
            });
}
