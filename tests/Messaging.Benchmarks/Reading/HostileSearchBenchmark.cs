using System.Text.Json;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Load;

namespace Messaging.Benchmarks.Reading;

/// <summary>
/// What others notice of people who search as expensively as they can: as many words as may be, all of which stand in every word of long
/// messages.
/// </summary>
sealed class HostileSearchBenchmark(Bench bench)
{
    const int Searches = 50;
    const int Messages = 100;
    const string What = "GET /v1/me";

    int answered;
    int refused;
    int asked;

    public async Task RunAsync()
    {
        if (!bench.Wants(What))
            return;
        bench.Report.Table($"search: what GET /v1/me takes beside {Searches} hostile searches at once");
        var (conversation, members) = await GroupAsync();
        await FillAsync(conversation, members);

        var connections = new List<HttpConnection>();
        try
        {
            for (var i = 0; i <= Searches; i++)
                connections.Add(await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop));
            var me = bench.Service.Requests.Get(Shape.UserId(Shape.Busiest), "/v1/me");
            // Each by the next of many, since whoever's search took too long is refused at once for a while.
            var searches = members.Select(
                member => bench.Service.Requests.Get(member, $"/v1/search/messages?limit=100&q={string.Join("%20", Words)}")).ToArray();

            var (without, with) = await bench.CompareBesideAsync(
                What, 1, async _ => await connections[Searches].AskAsync(me) == 200,
                "hostile searches", Searches,
                client => SearchAsync(connections[client], searches[Interlocked.Increment(ref asked) % searches.Length]));

            bench.Report.Say($"searches answered: {answered}; 503, after waiting for 14 s or running for 2 s: {refused}");
            bench.Report.Check(with.P99 <= 2 * without.P99, $"p99 at most doubles: {without.P99:0.0} ms, {with.P99:0.0} ms");
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    static string[] Words => [.. Enumerable.Range(0, 16).Select(i => ((char)('a' + i)).ToString())];

    async ValueTask<bool> SearchAsync(HttpConnection connection, byte[] request)
    {
        var status = await connection.AskAsync(request);
        Interlocked.Increment(ref (status == 200 ? ref answered : ref refused));
        return status is 200 or 503;
    }

    async Task<(Guid Conversation, string[] Members)> GroupAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand(
            """
            SELECT p.conversation_id, array_agg(p.user_id ORDER BY p.user_id)
            FROM participants p
            WHERE p.conversation_id = (SELECT id FROM conversations WHERE participant_count >= @Members AND closed_at IS NULL LIMIT 1)
            GROUP BY p.conversation_id
            """);
        command.Parameters.AddWithValue("Members", Shape.LargeGroup);
        await using var reader = await command.ExecuteReaderAsync(bench.Stop);
        await reader.ReadAsync(bench.Stop);
        return (reader.GetGuid(0), reader.GetFieldValue<string[]>(1));
    }

    async Task FillAsync(Guid conversation, string[] members)
    {
        using var connection = await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop);
        var text = string.Join(' ', Enumerable.Range(0, 5_000).Select(i => Words[i % Words.Length]));
        for (var i = 0; i < Messages; i++)
        {
            var request = bench.Service.Requests.Post(
                members[i % members.Length], $"/v1/conversations/{conversation}/messages", JsonSerializer.Serialize(new { text }));
            if (await connection.AskAsync(request) != 201)
                throw new InvalidOperationException($"Not sent: {System.Text.Encoding.UTF8.GetString(connection.Answer)}");
        }
    }
}
