// A service beside Messaging: verifies webhooks, follows the feed, and answers "ping" as a user.
//
//   MESSAGING_URL=http://localhost:5080 MESSAGING_KEY=msk_... WEBHOOK_SECRET=whsec_... dotnet run
//
// The key needs the scopes events and messages; the user (BOT) must exist. Register the webhook with the address http://<this host>:8090/.
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://0.0.0.0:{Environment.GetEnvironmentVariable("PORT") ?? "8090"}");
builder.Services.AddHostedService<Follower>();
var app = builder.Build();
var secret = Environment.GetEnvironmentVariable("WEBHOOK_SECRET")!;

// 1. Webhooks
app.MapPost("/", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer);
    var (id, timestamp, signatures) =
        ($"{request.Headers["webhook-id"]}", $"{request.Headers["webhook-timestamp"]}", $"{request.Headers["webhook-signature"]}");
    if (!IsGenuine(secret, id, timestamp, signatures, buffer.ToArray()))
        return Results.Unauthorized();
    // A real service stores the event here, under its id, which is the same at every attempt; and works on it afterwards.
    Follower.Say(new { webhook = JsonElement.Parse(buffer.ToArray()).GetProperty("type").GetString(), id });
    return Results.NoContent();
});
await app.StartAsync();
Follower.Say(new { listening = new Uri(app.Urls.First()).Port });
await app.WaitForShutdownAsync();

static bool IsGenuine(string secret, string id, string timestamp, string signatures, byte[] body)
{
    var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    if (!long.TryParse(timestamp, out var sent) || sent < now - 300 || sent > now + 300)
        return false;
    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    var key = Convert.FromBase64String(secret["whsec_".Length..]);
    var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    return signatures.Split(' ').Any(one => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), expected));
}

/// <summary>Follows the feed from where it was left, and answers.</summary>
sealed class Follower : BackgroundService
{
    static readonly string Bot = Environment.GetEnvironmentVariable("BOT") ?? "helper";
    static readonly string CursorFile = Environment.GetEnvironmentVariable("CURSOR_FILE") ?? "cursor.txt";

    readonly HttpClient client = new()
    {
        BaseAddress = new(Environment.GetEnvironmentVariable("MESSAGING_URL")!), Timeout = TimeSpan.FromSeconds(30),
    };

    public Follower() => client.DefaultRequestHeaders.Add("X-Api-Key", Environment.GetEnvironmentVariable("MESSAGING_KEY"));

    public static void Say(object what) => Console.WriteLine(JsonSerializer.Serialize(what));

    // 2. The feed
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var cursor = File.Exists(CursorFile) ? await File.ReadAllTextAsync(CursorFile, stoppingToken) : "";
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var answer = await client.GetAsync(cursor == "" ? "/v1/sync" : $"/v1/sync?since={cursor}", stoppingToken);
                if (answer.StatusCode is HttpStatusCode.Gone)
                {
                    // What happened in between has to be read anew, from wherever this service keeps it.
                    cursor = "";
                    continue;
                }
                var page = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(stoppingToken);
                if (page.TryGetProperty("events", out var events))
                {
                    foreach (var told in events.EnumerateArray())
                        await HandleAsync(told, stoppingToken);
                }
                // Only now: after a crash the events of this page come again.
                cursor = page.GetProperty("cursor").GetString()!;
                await File.WriteAllTextAsync($"{CursorFile}.new", cursor, stoppingToken);
                File.Move($"{CursorFile}.new", CursorFile, overwrite: true);
                if (!page.TryGetProperty("hasMore", out var more) || !more.GetBoolean())
                    await Task.Delay(500, stoppingToken);
            }
            // Whatever it is, such as no answer in time or a proxy's page: the feed is followed on.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Say(new { problem = e.Message });
                await Task.Delay(2000, stoppingToken);
            }
        }
    }

    // 3. Posting as a user
    async Task HandleAsync(JsonElement told, CancellationToken ct)
    {
        var message = told.GetProperty("data");
        if (!told.GetProperty("type").ValueEquals("message:new") || !message.GetProperty("type").ValueEquals("text")
            || !message.GetProperty("text").ValueEquals("ping"))
            return;
        // The same event gives the same clientMessageId: an event that comes again is answered once.
        var reply = new
        {
            text = "pong",
            replyToId = message.GetProperty("id").GetString(),
            clientMessageId = $"pong-{told.GetProperty("id").GetString()}",
        };
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"/v1/conversations/{told.GetProperty("conversationId").GetString()}/messages")
        {
            Content = JsonContent.Create(reply),
            Headers = { { "X-User-Id", Bot } },
        };
        using var answer = await client.SendAsync(request, ct);
        // Otherwise the bot does not take part, or may not write there.
        if (answer.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
            answer.EnsureSuccessStatusCode();
    }
}
