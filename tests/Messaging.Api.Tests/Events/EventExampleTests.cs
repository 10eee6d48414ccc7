using System.Net.Http.Json;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Attachments;
using Messaging.Api.Tests.Webhooks;
using Messaging.Infrastructure.Attachments;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Events;

/// <summary>
/// docs/events.md has an example of every event that the code can tell, as a running service tells it. To write it anew:
/// <c>MESSAGING_WRITE_DOCS=1 dotnet test tests/Messaging.Api.Tests --filter EventExampleTests</c>.
/// </summary>
public sealed partial class EventExampleTests : AttachmentFixture
{
    private const string Document = "docs/events.md";

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ServerProcess clamd = ServerProcess.Clamd();
    private readonly Dictionary<string, JsonObject> examples = new(StringComparer.Ordinal);
    private string cursor = "";

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
    [
        ("Messaging:Scan:ClamdAddress", $"127.0.0.1:{clamd.Port}"), ("Messaging:Policies:DirectMessages", "Requests"),
        ("Messaging:Webhooks:AllowPrivateNetworks", "true"), ("Messaging:Webhooks:Schedule:0", "00:00:00.0500000"),
    ];

    [OneTimeTearDown]
    public async Task DisposeAsync() => await clamd.DisposeAsync();

    [Test]
    public async Task The_document_has_every_event_as_the_service_tells_it()
    {
        foreach (var (user, name) in new[] { ("anna", "Anna Berg"), ("bob", "Bob"), ("carl", "Carl") })
            (await Api.ServiceClient().PutAsJsonAsync($"/v1/users/{user}", new { displayName = name })).EnsureSuccessStatusCode();
        cursor = (await ServiceAsync("/v1/sync")).GetProperty("cursor").GetString()!;
        await RelateAsync();
        await TalkAsync(await FoundAsync());
        await ParkAsync();
        await DisableAsync();
        await MeetAsync();

        var document = Written();

        if (Environment.GetEnvironmentVariable("MESSAGING_WRITE_DOCS") is { Length: > 0 })
            await File.WriteAllTextAsync(Repository.File(Document), document);
        Assert.That(examples.Keys, Is.SupersetOf(EventNames.Stored.Concat(EventNames.Ephemeral)));
        Assert.That(await File.ReadAllTextAsync(Repository.File(Document)), Is.EqualTo(document), $"{Document} is to be written anew");
    }

    private async Task RelateAsync()
    {
        await DoAsync("anna", HttpMethod.Post, "/v1/contacts", new { userId = "bob" });
        await DoAsync("bob", HttpMethod.Post, "/v1/contacts/anna/accept");
        await DoAsync("anna", HttpMethod.Delete, "/v1/contacts/bob");
        await DoAsync("bob", HttpMethod.Post, "/v1/contacts", new { userId = "anna" });
        await DoAsync("anna", HttpMethod.Post, "/v1/contacts/bob/accept");
        await DoAsync("anna", HttpMethod.Put, "/v1/blocks/carl");
        await DoAsync("anna", HttpMethod.Delete, "/v1/blocks/carl");
        await DoAsync(
            "carl", HttpMethod.Post, "/v1/conversations/direct", new { userId = "anna", message = new { text = "May I ask something?" } });
        var requests = await Api.ClientFor("anna").GetFromJsonAsync<JsonElement>("/v1/message-requests");
        await DoAsync("anna", HttpMethod.Post, $"/v1/message-requests/{Id(requests.GetProperty("items")[0])}/accept");
    }

    private async Task<string> FoundAsync()
    {
        var group = await GroupAsync("project");
        var path = $"/v1/conversations/{group}";
        await DoAsync("anna", HttpMethod.Patch, path, new { name = "Project X" });
        await DoAsync("anna", HttpMethod.Post, $"{path}/participants", new { userIds = new[] { "carl" } });
        await DoAsync("anna", HttpMethod.Patch, $"{path}/participants/carl", new { role = "admin" });
        await DoAsync("anna", HttpMethod.Delete, $"{path}/participants/carl");
        await DoAsync("anna", HttpMethod.Post, $"{path}/archive");
        await DoAsync("anna", HttpMethod.Post, $"{path}/unarchive");
        await DoAsync("anna", HttpMethod.Post, $"{path}/close", new { reason = "completed" });
        await DoAsync("anna", HttpMethod.Post, $"{path}/reopen");
        await DoAsync("bob", HttpMethod.Patch, $"{path}/settings", new { starred = true });
        return group;
    }

    private async Task TalkAsync(string group)
    {
        var path = $"/v1/conversations/{group}";
        var first = Id(await DoAsync(
            "anna", HttpMethod.Post, $"{path}/messages", new { text = "Hello @bob", mentions = new[] { "bob" }, clientMessageId = "a1" }));
        await UntilAsync("notification:new");
        var message = $"{path}/messages/{first}";
        await DoAsync("bob", HttpMethod.Put, $"{message}/reactions/%F0%9F%91%8D");
        await DoAsync("anna", HttpMethod.Put, $"{message}/pin");
        await DoAsync("bob", HttpMethod.Put, $"{message}/saved");
        await DoAsync("bob", HttpMethod.Post, $"{path}/delivered");
        await DoAsync("bob", HttpMethod.Post, $"{path}/read");
        await DoAsync("anna", HttpMethod.Patch, message, new { text = "Hello @bob!" });
        await DoAsync("anna", HttpMethod.Delete, message);
        var file = Id(await UploadAsync("anna", group, Pdf, "plan.pdf"));
        await DoAsync("anna", HttpMethod.Post, $"{path}/messages", new { type = "file", attachmentIds = new[] { file } });
        await clamd.StartAsync();
        await Api.Services.GetRequiredService<FileKeeping>().ScanAsync(CancellationToken.None);
        await Api.Database.RowsAsync(
            $$"""SELECT messaging.post('{"text": "Order 4711 was shipped"}', 'carl', '{{group}}')""", row => row.GetGuid(0));
        await UntilAsync("post:refused");
        await DoAsync("anna", HttpMethod.Delete, $"{path}?scope=everyone");
    }

    private async Task ParkAsync()
    {
        await using var receiver = Receiver.Answering("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
        await TestAsync(receiver);
        await UntilAsync("webhook:parked");
    }

    private async Task TestAsync(Receiver receiver)
    {
        var created = await Api.ServiceClient().PostAsJsonAsync("/v1/webhooks", new { url = receiver.Url });
        var webhook = Id(await created.Content.ReadFromJsonAsync<JsonElement>());
        (await Api.ServiceClient().PostAsync($"/v1/webhooks/{webhook}/test", content: null)).EnsureSuccessStatusCode();
    }

    // A webhook that is tested, and wants no more calls.
    private async Task DisableAsync()
    {
        await using var receiver = Receiver.Answering("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
        await TestAsync(receiver);
        await Eventually.HoldsAsync(() => !receiver.Calls.IsEmpty, "the test arrives");
        Keep(JsonElement.Parse(receiver.Calls.First().Body));
        await GroupAsync("webhooks");
        await UntilAsync("webhook:disabled");
    }

    // What is told to who is there, and stored nowhere.
    private async Task MeetAsync()
    {
        var group = await GroupAsync("meeting");
        await using var anna = await ConnectAsync("anna");
        await anna.WatchAsync(new[] { "bob" });
        await using var bob = await ConnectAsync("bob");
        Keep(await anna.NextAsync("presence:changed"));
        await bob.TypingAsync(group, true);
        Keep(await anna.NextAsync("typing"));
        var draining = Api.Services.GetRequiredService<ConnectionDrain>().RunAsync(CancellationToken.None);
        Keep(await anna.NextAsync("draining"));
        await draining;
    }

    private async Task<string> GroupAsync(string slug) => Id(await DoAsync(
        "anna", HttpMethod.Post, "/v1/conversations", new { name = "Project", slug, participantIds = new[] { "bob" } }));

    private async Task<JsonElement> DoAsync(string user, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        var answer = await Api.ClientFor(user).SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, Is.True, text);
        await KeepNewAsync();
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }

    private Task UntilAsync(string type) => Eventually.HoldsAsync(
        async () =>
        {
            await KeepNewAsync();
            return examples.ContainsKey(type);
        },
        $"{type} is told");

    // At once: what is told of something is read when it is told.
    private async Task KeepNewAsync()
    {
        await Api.Database.DrainedAsync();
        var page = await ServiceAsync($"/v1/sync?since={cursor}");
        cursor = page.GetProperty("cursor").GetString()!;
        foreach (var told in page.GetProperty("events").EnumerateArray())
            Keep(told);
    }

    // The first of each type, but not what a conversation says of itself; and of notifications not that of the request's message, which
    // comes at any time.
    private void Keep(JsonElement told)
    {
        var data = told.GetProperty("data");
        if (data.TryGetProperty("type", out var kind) && kind.GetString() is "system" or "message")
            return;
        examples.TryAdd(told.GetProperty("type").GetString()!, JsonObject.Create(told)!);
    }

    private async Task<JsonElement> ServiceAsync(string path) => await Api.ServiceClient().GetFromJsonAsync<JsonElement>(path);

    private string Written()
    {
        var text = new StringBuilder(Head);
        foreach (var (type, example) in examples.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            var members = example["data"]!.AsObject().Select(member => $"`{member.Key}`");
            text.Append($"| [{type}](#{type.Replace(":", "", StringComparison.Ordinal)}) | {string.Join(", ", members)} |\n");
        }
        foreach (var (type, example) in examples.OrderBy(one => one.Key, StringComparer.Ordinal))
            text.Append($"\n## {type}\n\n```json\n{example.ToJsonString(Indented)}\n```\n");
        return Stable(text.ToString());
    }

    private const string Head =
        """
        # Events

        An example of every event, as a service reads it from `GET /v1/sync`: with `userId` where the event is one user's own. Users are not
        told that member. `typing`, `presence:changed` and `draining` are told live alone and have no `id`.
        [integrating.md](integrating.md#events) says who receives which event, and what to do with it.

        This file is made from a running service by the test `EventExampleTests`, which fails when it is out of date and says how to write
        it anew. Ids, times and addresses are replaced.

        | type | members of `data` |
        | --- | --- |

        """;

    private static string Stable(string text)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        text = Uuid().Replace(text, match => ids.TryGetValue(match.Value, out var known)
            ? known : ids[match.Value] = $"01a1f94b-bacb-7e70-babe-{ids.Count + 1:x12}");
        text = Time().Replace(text, "2026-11-20T10:15:30.123456Z");
        text = Cursor().Replace(text, "\"id\": \"1-4711\"");
        text = Wait().Replace(text, "\"reconnectInMs\": 1200");
        return Address().Replace(text, "\"https://messaging.example.com/…\"");
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Uuid();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Time();

    [GeneratedRegex("\"id\": \"(test-[0-9a-f]+|[0-9a-f]+-[0-9]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Cursor();

    [GeneratedRegex("\"reconnectInMs\": [0-9]+", RegexOptions.None, 1000)]
    private static partial Regex Wait();

    [GeneratedRegex("\"https?://[^\"]+\"", RegexOptions.None, 1000)]
    private static partial Regex Address();
}
