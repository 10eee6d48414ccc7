using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>A call as it came, and whether it was answered with a 2xx.</summary>
sealed record WebhookCall(string Id, string Timestamp, string Signatures, byte[] Body, bool IsAccepted)
{
    public JsonElement Event { get; } = JsonElement.Parse(Body);
}

/// <summary>The receiver of a webhook of everything, in the test's process. Now and then it fails.</summary>
sealed class WebhookReceiver : IDisposable
{
    const int FailsEvery = 20;

    // Nothing waits, neither in the feed nor for the receiver.
    const string DoneSql =
        """
        SELECT f.position >= s.last_position AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.state = 'pending')
        FROM feed_followers f, feed_state s
        WHERE f.name = 'webhooks'
        """;

    readonly HttpListener listener;
    readonly string address;
    readonly ConcurrentQueue<WebhookCall> calls = new();
    int count;

    public WebhookReceiver()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }
        listener = new HttpListener { Prefixes = { address } };
        listener.Start();
        _ = Task.Run(ReceiveAsync);
    }

    /// <summary>What a service needs to call it, and to try again soon.</summary>
    public static IEnumerable<(string Name, string Value)> Settings =>
    [
        ("Messaging__Webhooks__AllowPrivateNetworks", "true"),
        .. Enumerable.Range(0, 40).Select(i => ($"Messaging__Webhooks__Schedule__{i}", "00:00:00.0500000")),
    ];

    public string Secret { get; private set; } = "";

    public IReadOnlyCollection<WebhookCall> Calls => calls;

    public async Task RegisterAsync(ServiceNode node)
    {
        using var service = node.ServiceClient();
        using var created = await service.PostAsJsonAsync("/v1/webhooks", new { url = address });
        Secret = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString()!;
    }

    public static Task DoneAsync(TestDatabase database) => Eventually.HoldsAsync(
        async () => (await database.RowsAsync(DoneSql, row => row.GetBoolean(0))).Single(), "everything is delivered");

    public void Dispose() => listener.Close();

    async Task ReceiveAsync()
    {
        while (listener.IsListening)
            _ = AnswerAsync(await listener.GetContextAsync());
    }

    async Task AnswerAsync(HttpListenerContext context)
    {
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        var fails = Interlocked.Increment(ref count) % FailsEvery == 0;
        calls.Enqueue(new(Header("id"), Header("timestamp"), Header("signature"), body.ToArray(), IsAccepted: !fails));
        context.Response.StatusCode = fails ? 500 : 204;
        context.Response.Close();

        string Header(string name) => context.Request.Headers[$"webhook-{name}"]!;
    }
}
