using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>The services of docs/examples, run as they are against the API.</summary>
public sealed class ExampleTests
{
    const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const string Forged = """{"id": "1-4711", "type": "conversation:opened", "data": {}}""";

    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(("Messaging:Webhooks:AllowPrivateNetworks", "true"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCaseSource(nameof(Examples))]
    public async Task An_example_follows_the_feed_and_answers_as_a_user(string name, string program, string file)
    {
        var (conversation, bot) = await DirectAsync(name);
        using var folder = new TemporaryFolder();
        using var example = await RunAsync(program, file, bot, Path.Combine(folder.Path, "cursor"));

        await SendAsync(conversation, "ping");

        await Eventually.HoldsAsync(
            async () => (await TextsAsync(conversation)).Contains($"{bot}: pong"), () => $"an answer:\n{example.Output}\n{example.Errors}");
    }

    [TestCaseSource(nameof(Examples))]
    public async Task An_example_tells_the_services_calls_from_others(string name, string program, string file)
    {
        var (conversation, _) = await DirectAsync(name);
        using var folder = new TemporaryFolder();
        using var example = await RunAsync(program, file, name, Path.Combine(folder.Path, "cursor"));
        var address = new Uri($"http://127.0.0.1:{Listening(example)}/");
        var webhook = await CreateWebhookAsync(address);

        await BreakOffAsync(address);
        await SendAsync(conversation, "one signature");
        await HearsAsync(example, 1);
        // From now on calls are signed with both secrets, and the example knows the former one.
        await CallWebhookAsync(HttpMethod.Post, $"{webhook}/secret/rotate");
        await SendAsync(conversation, "two signatures");
        await HearsAsync(example, 2);

        Assert.That(await ForgeAsync(address), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(example.Output, Does.Not.Contain("conversation:opened"));
        await CallWebhookAsync(HttpMethod.Delete, webhook);
    }

    // What a proxy answers while the service is away. Without an answer at all it is the same, but takes their 30 s.
    [TestCaseSource(nameof(Examples))]
    public async Task An_example_outlives_answers_that_are_no_JSON(string name, string program, string file)
    {
        const string Page = "Content-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
        await using var proxy = new AnswersInTurn(
            $"HTTP/1.1 502 Bad Gateway\r\n{Page}", $"HTTP/1.1 200 OK\r\n{Page}",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\nConnection: close\r\n\r\n{\"cursor\": \"1-471\"}");
        using var folder = new TemporaryFolder();
        var cursor = Path.Combine(folder.Path, "cursor");

        using var example = await RunAsync(program, file, name, cursor, proxy.Address);

        Assert.That(await File.ReadAllTextAsync(cursor), Is.EqualTo("1-471"), example.Output);
    }

    static IEnumerable<TestCaseData> Examples() =>
    [
        Case("csharp", "dotnet", Repository.BuiltExample),
        Case("node", "node", Repository.Example("node/service.mjs")),
        Case("python", "python3", Repository.Example("python/service.py")),
    ];

    static TestCaseData Case(string name, string program, string file) => new TestCaseData(name, program, file).SetArgDisplayNames(name);

    async Task<ChildProcess> RunAsync(string program, string file, string bot, string cursor, string? address = null)
    {
        var example = ChildProcess.Start(
            program, [file], ("MESSAGING_URL", address ?? api.Address.OriginalString), ("MESSAGING_KEY", ApiHost.ServiceKey),
            ("WEBHOOK_SECRET", Secret), ("BOT", bot), ("PORT", "0"), ("CURSOR_FILE", cursor));
        await Eventually.HoldsAsync(
            () => Task.FromResult(Listening(example) is not null && File.Exists(cursor)),
            () => $"{file} runs:\n{example.Output}\n{example.Errors}");
        return example;
    }

    static int? Listening(ChildProcess example) => example.Output.Split('\n')
        .Where(line => line.Contains("\"listening\"", StringComparison.Ordinal))
        .Select(line => (int?)JsonElement.Parse(line).GetProperty("listening").GetInt32()).FirstOrDefault();

    async Task<(string Conversation, string Bot)> DirectAsync(string name)
    {
        var bot = $"{name}-bot";
        (await api.ServiceClient().PutAsJsonAsync($"/v1/users/{bot}", new { displayName = "Bot" })).EnsureSuccessStatusCode();
        var answer = await api.ClientFor("anna").PostAsJsonAsync("/v1/conversations/direct", new { userId = bot });
        return ((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!, bot);
    }

    async Task SendAsync(string conversation, string text) => (await api.ClientFor("anna").PostAsJsonAsync(
        $"/v1/conversations/{conversation}/messages", new { text })).EnsureSuccessStatusCode();

    async Task<List<string>> TextsAsync(string conversation) =>
    [
        .. (await api.ClientFor("anna").GetFromJsonAsync<JsonElement>($"/v1/conversations/{conversation}/messages")).GetProperty("items")
            .EnumerateArray().Select(one => $"{one.GetProperty("senderId").GetString()}: {one.GetProperty("text").GetString()}"),
    ];

    static async Task BreakOffAsync(Uri address)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await client.GetStream().WriteAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{ }"u8.ToArray());
    }

    async Task<string> CreateWebhookAsync(Uri address)
    {
        using var answer = await api.ServiceClient().PostAsJsonAsync(
            "/v1/webhooks", new { url = address, secret = Secret, eventTypes = (string[])["message:new"] });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Created), await answer.Content.ReadAsStringAsync());
        return $"/v1/webhooks/{(await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()}";
    }

    async Task CallWebhookAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        (await api.ServiceClient().SendAsync(request)).EnsureSuccessStatusCode();
    }

    static Task HearsAsync(ChildProcess example, int calls) => Eventually.HoldsAsync(
        () => Task.FromResult(
            example.Output.Split('\n').Count(line => line.Contains("\"message:new\"", StringComparison.Ordinal)) == calls),
        () => $"{calls} calls are verified:\n{example.Output}\n{example.Errors}");

    // Signed with the secret, but for another body.
    static async Task<HttpStatusCode> ForgeAsync(Uri address)
    {
        var timestamp = $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}";
        var key = Convert.FromBase64String(Secret["whsec_".Length..]);
        var signature = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"1-4711.{timestamp}.{{}}"));
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new StringContent(Forged, Encoding.UTF8, "application/json"),
            Headers =
            {
                { "webhook-id", "1-4711" },
                { "webhook-timestamp", timestamp },
                { "webhook-signature", $"v1,{Convert.ToBase64String(signature)}" },
            },
        };
        return (await client.SendAsync(request)).StatusCode;
    }
}

/// <summary>A server that gives its answers in turn, the last one again and again.</summary>
sealed class AnswersInTurn : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly Task serving;

    public AnswersInTurn(params string[] answers)
    {
        listener.Start();
        serving = ServeAsync(answers);
    }

    public string Address => $"http://{listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
    }

    async Task ServeAsync(string[] answers)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                using var client = await listener.AcceptTcpClientAsync();
                using var stream = client.GetStream();
                using var reader = new StreamReader(stream);
                while (!string.IsNullOrEmpty(await reader.ReadLineAsync()))
                    continue;
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answers[Math.Min(i, answers.Length - 1)]));
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over: the example was ended, or the listener.
        }
    }
}
