using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Messaging.Testing;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

/// <summary>A webhook hears everything at least once, with the same id and bytes, wherever a node dies.</summary>
[Category("Fault")]
public sealed class KilledDeliveryTests
{
    const string Waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE "
        + "'%webhook_lanes%'";

    readonly ConcurrentQueue<(string Id, string Body)> calls = [];

    [Test]
    public async Task Kill_after_the_2xx_of_a_webhook_and_before_its_mark_delivers_the_same_again()
    {
        await using var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        await using var holding = await database.DataSource.OpenConnectionAsync();
        await using var locks = await holding.BeginTransactionAsync();
        using var receiver = Receive(locks, out var address);
        using var node = new ServiceNode(database.ConnectionString, ("Messaging__Webhooks__AllowPrivateNetworks", "true"));
        await node.StartAsync();
        await AskForATestAsync(node, address);
        await Eventually.HoldsAsync(
            async () => !calls.IsEmpty && (await database.RowsAsync(Waiting, row => row.GetInt64(0))).Single() > 0,
            () => "the mark waits, after the answer");

        await node.Process.KillAsync();
        await locks.RollbackAsync();
        await node.StartAsync();

        await Eventually.HoldsAsync(
            async () => (await database.RowsAsync("SELECT state FROM webhook_deliveries", row => row.GetString(0))).Single() == "delivered",
            () => "it is delivered");
        Assert.That(calls, Has.Count.EqualTo(2));
        Assert.That(calls.Distinct().Count(), Is.EqualTo(1), "the id and the bytes are the same");
    }

    static async Task AskForATestAsync(ServiceNode node, string address)
    {
        using var service = node.ServiceClient();
        using var created = await service.PostAsJsonAsync("/v1/webhooks", new { url = address });
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        (await service.PostAsync(new Uri($"/v1/webhooks/{id}/test", UriKind.Relative), content: null)).EnsureSuccessStatusCode();
    }

    // Locks what the mark needs before it answers for the first time.
    HttpListener Receive(NpgsqlTransaction locks, out string address)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }
        var listener = new HttpListener { Prefixes = { address } };
        listener.Start();
        _ = Task.Run(async () =>
        {
            while (listener.IsListening)
            {
                var context = await listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var body = await reader.ReadToEndAsync();
                if (calls.IsEmpty)
                    await LockAsync(locks);
                calls.Enqueue((context.Request.Headers["webhook-id"]!, body));
                context.Response.StatusCode = 204;
                context.Response.Close();
            }
        });
        return listener;
    }

    static async Task LockAsync(NpgsqlTransaction locks)
    {
        await using var command = new NpgsqlCommand("SELECT claim FROM webhook_lanes FOR UPDATE", locks.Connection, locks);
        await command.ExecuteNonQueryAsync();
    }
}
