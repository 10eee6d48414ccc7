using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;
using NUnit.Framework.Internal;

namespace Messaging.EndToEnd.Tests;

/// <summary>
/// Everything that can be done in a group, by all of its people at once, through two nodes that are killed and restarted meanwhile: what
/// clients have folded of the events is what they read afresh.
/// </summary>
[Category("Fault")]
public sealed class FoldingTests
{
    const int Rounds = 2;

    static readonly TimeSpan BetweenFaults = TimeSpan.FromSeconds(1);
    static readonly string[] Users = ["ada", "bob", "carl", "dora"];

    readonly List<string> messages = [];
    TestDatabase database = null!;
    ServiceNode[] nodes = null!;
    string group = "";

    [SetUp]
    public async Task StartAsync()
    {
        database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        nodes = [new ServiceNode(database.ConnectionString), new ServiceNode(database.ConnectionString)];
        await Task.WhenAll(nodes.Select(node => node.StartAsync()));
        foreach (var user in Users)
            await GetAsync(user, "/v1/me");
        foreach (var (one, other) in Users.SelectMany(one => Users.Where(other => one != other).Select(other => (one, other))))
            await CallAsync(nodes[0], one, HttpMethod.Post, "/v1/contacts", new { userId = other });
        group = Text(
            await CallAsync(nodes[0], "ada", HttpMethod.Post, "/v1/conversations", new { name = "Group", participantIds = Users[1..] }),
            "id");
    }

    [TearDown]
    public async Task StopAsync()
    {
        foreach (var node in nodes)
            node.Dispose();
        await database.DisposeAsync();
    }

    [Test]
    public async Task State_folded_from_events_through_kills_and_restarts_equals_a_fresh_read()
    {
        var clients = new List<ClientModel>();
        foreach (var user in Users)
            clients.Add(new ClientModel(user, await GetAsync(user, "/v1/sync")));
        using var quiet = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        var hearing = Task.WhenAll(clients.Zip(Users).Select((client, i) => HearAsync(client.First, client.Second, i, over.Token)));
        var acting = Task.WhenAll(Users.Concat(Users).Select((user, i) => ActAsync(user, i, quiet.Token)));

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var node in nodes)
            {
                await Task.Delay(BetweenFaults);
                await (round % 2 == 0 ? node.Process.KillAsync() : node.Process.TerminateAsync());
                await node.StartAsync();
            }
        }
        await quiet.CancelAsync();
        await acting;
        await database.DrainedAsync();
        await over.CancelAsync();
        await hearing;

        Assert.That(messages, Has.Count.GreaterThan(50), "a lot was going on");
        foreach (var (client, user) in clients.Zip(Users))
        {
            await CatchUpAsync(client, user);
            var fresh = await GetAsync(user, "/v1/sync");
            Assert.That(client.Inbox, Is.EqualTo(new ClientModel(user, fresh).Inbox), Again(user));
            Assert.That(client.Unread, Is.EqualTo(fresh["unread"]!["messages"]!.GetValue<long>()), Again(user));
        }

        // What is done comes again by this; when it meets which fault does not.
        static string Again(string user) => $"{user}; for the same commands: dotnet test -- NUnit.RandomSeed={Randomizer.InitialSeed}";
    }

    // Comes again wherever somebody answers, with the newest event that it has seen.
    async Task HearAsync(ClientModel client, string user, int turn, CancellationToken over)
    {
        for (; !over.IsCancellationRequested; turn++)
        {
            try
            {
                await using var phone = await HubClient.ConnectAsync(
                    nodes[turn % nodes.Length].Address, ApiHost.Token(user), client.Cursor);
                await foreach (var envelope in phone.AllAsync(over))
                {
                    if (envelope.GetProperty("id").ValueKind is JsonValueKind.String)
                        client.Apply(JsonObject.Create(envelope)!);
                }
            }
            catch (Exception e) when (e is not AssertionException)
            {
                // The node is down, or all is over.
            }
        }
    }

    async Task ActAsync(string user, int turn, CancellationToken quiet)
    {
        var random = new Random(TestContext.CurrentContext.Random.Next());
        for (; !quiet.IsCancellationRequested; turn++)
        {
            var (method, path, body) = Command(user, random);
            // Who has left is brought back by the service, which may at once.
            var actor = path.EndsWith("/participants", StringComparison.Ordinal) ? null : user;
            var answer = await CallAsync(nodes[turn % nodes.Length], actor, method, path, body);
            var sends = method == HttpMethod.Post && path.EndsWith("/messages", StringComparison.Ordinal);
            if (sends && answer?["id"] is not null)
                Add(Text(answer, "id"));
        }
    }

    (HttpMethod Method, string Path, object? Body) Command(string user, Random random)
    {
        var (path, other) = ($"/v1/conversations/{group}", Users[random.Next(Users.Length)]);
        var (message, seq) = (Some(random), random.Next(Math.Max(Count() - 10, 1), Count() + 2));
        return random.Next(32) switch
        {
            < 8 => (HttpMethod.Post, $"{path}/messages", new { text = $"text of {user}" }),
            8 => (HttpMethod.Post, $"{path}/messages", new { text = "for you", mentions = new[] { other } }),
            9 => (HttpMethod.Post, $"{path}/messages", new { text = "an answer", replyToId = message }),
            10 => (HttpMethod.Patch, $"{path}/messages/{message}", new { text = "other words", mentions = new[] { other } }),
            11 => (HttpMethod.Patch, $"{path}/messages/{message}", new { mentions = (string[]?)null }),
            12 => (HttpMethod.Delete, $"{path}/messages/{message}", null),
            13 => (HttpMethod.Delete, $"{path}/messages/{message}?scope=me", null),
            14 => (HttpMethod.Put, $"{path}/messages/{message}/reactions/:ship_it:", null),
            15 => (HttpMethod.Delete, $"{path}/messages/{message}/reactions/:ship_it:", null),
            16 => (HttpMethod.Put, $"{path}/messages/{message}/pin", null),
            17 => (HttpMethod.Delete, $"{path}/messages/{message}/pin", null),
            18 => (HttpMethod.Post, $"{path}/read", new { }),
            19 => (HttpMethod.Post, $"{path}/read", new { seq }),
            20 => (HttpMethod.Post, $"{path}/delivered", new { seq }),
            21 => (HttpMethod.Post, $"{path}/unread", new { seq }),
            22 => (HttpMethod.Delete, $"{path}/history", null),
            23 => (HttpMethod.Patch, $"{path}/settings", new { starred = random.Next(2) == 0, archived = random.Next(2) == 0 }),
            24 => (HttpMethod.Get, $"{path}/messages", null),
            25 => (HttpMethod.Patch, path, new { name = $"Group {random.Next(10)}" }),
            26 or 27 => (HttpMethod.Post, $"{path}/participants", new { userIds = Users[1..] }),
            28 => (HttpMethod.Delete, $"{path}/participants/{Users[random.Next(1, Users.Length)]}", null),
            29 => (HttpMethod.Patch, $"{path}/participants/{other}", new { role = random.Next(2) == 0 ? "admin" : "member" }),
            30 when random.Next(4) == 0 => (HttpMethod.Post, $"{path}/close", new { reason = "manual" }),
            30 => (HttpMethod.Post, $"{path}/reopen", null),
            _ => (HttpMethod.Post, "/v1/conversations/direct", new { userId = other, message = new { text = "between us" } }),
        };
    }

    async Task CatchUpAsync(ClientModel client, string user)
    {
        for (var more = true; more;)
        {
            var page = await GetAsync(user, $"/v1/sync?since={client.Cursor}");
            foreach (var envelope in page["events"]!.AsArray())
                client.Apply(envelope!.AsObject());
            (client.Cursor, more) = (Text(page, "cursor"), page["hasMore"]!.GetValue<bool>());
        }
    }

    async Task<JsonObject> GetAsync(string user, string path) => (await nodes[0].ClientFor(user).GetFromJsonAsync<JsonObject>(path))!;

    // What is refused, and what a dying node leaves without an answer, belongs to it: null.
    static async Task<JsonObject?> CallAsync(ServiceNode node, string? user, HttpMethod method, string path, object? body)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
                request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
            using var client = user is null ? node.ServiceClient() : node.ClientFor(user);
            var answer = await client.SendAsync(request);
            Assert.That((int)answer.StatusCode, Is.Not.EqualTo(405).And.Not.EqualTo(500), $"{method} {path}");
            return answer.IsSuccessStatusCode && answer.Content.Headers.ContentLength != 0
                ? await answer.Content.ReadFromJsonAsync<JsonObject>()
                : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            return null;
        }
    }

    static string Text(JsonObject? answer, string name) => answer![name]!.GetValue<string>();

    void Add(string id)
    {
        lock (messages)
            messages.Add(id);
    }

    int Count()
    {
        lock (messages)
            return messages.Count;
    }

    // One of the newest, which matter most to what is unread.
    string Some(Random random)
    {
        lock (messages)
            return messages.Count == 0 ? Guid.CreateVersion7().ToString() : messages[^random.Next(1, Math.Min(messages.Count, 8) + 1)];
    }
}
