using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Load;

namespace Messaging.Benchmarks.Sending;

/// <summary>Messages sent over HTTP, beside the statement alone.</summary>
sealed class SendBenchmark(Bench bench)
{
    static readonly int[] Clients = [1, 16, 64];

    public async Task RunAsync()
    {
        bench.Report.Table("send: POST /v1/conversations/{id}/messages");
        await RunAsync("to a direct conversation, all read", participants: 2, conversations: 1_000, senders: 1);
        await RunAsync("to a direct conversation", participants: 2, conversations: 1_000, senders: 2);
        await RunAsync("to a group of 12", Shape.SmallGroup, conversations: 400, senders: 4);
        await RunAsync("to a group of 300", Shape.LargeGroup, conversations: 100, senders: 10);
    }

    async Task RunAsync(string what, int participants, int conversations, int senders)
    {
        if (!bench.Wants(what))
            return;

        var targets = await SendTarget.FindAsync(bench.Database.DataSource, participants, conversations, senders, bench.Stop);
        var requests = targets.Select(target => target.Request(bench.Service.Requests)).ToArray();
        await MeetAsync(targets, requests);
        foreach (var clients in Clients)
        {
            var senderClients = new List<SendClient>();
            var floors = new List<SendFloor>();
            try
            {
                for (var i = 0; i < clients; i++)
                {
                    senderClients.Add(
                        new(await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), targets, requests, bench.Acknowledged, i));
                    floors.Add(await SendFloor.OpenAsync(bench.Database.DataSource, targets, i, bench.Stop));
                }

                await bench.CompareAsync(what, clients, client => senderClients[client].SendAsync(), client => floors[client].SendAsync());
            }
            finally
            {
                senderClients.ForEach(client => client.Dispose());
                foreach (var floor in floors)
                    await floor.DisposeAsync();
            }
        }
    }

    // The first message of a day in each conversation and the first sight of each token are a matter of their own.
    async Task MeetAsync(SendTarget[] targets, byte[][] requests)
    {
        using var connection = await HttpConnection.OpenAsync(bench.Service.Port, bench.Stop);
        for (var i = 0; i < targets.Length; i++)
        {
            var client = new SendClient(connection, [targets[i]], [requests[i]], bench.Acknowledged, i);
            if (!await client.SendAsync())
                throw new InvalidOperationException($"A send was refused: {System.Text.Encoding.UTF8.GetString(connection.Answer)}");
        }
    }
}
