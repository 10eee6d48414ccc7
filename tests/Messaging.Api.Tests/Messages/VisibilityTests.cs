using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Attachments;
using Messaging.Testing;

namespace Messaging.Api.Tests.Messages;

/// <summary>What is not, or no more, somebody's to see is in no way of reading it.</summary>
public sealed class VisibilityTests : AttachmentFixture
{
    private const string Secret = "wombat";

    private string ada = null!;
    private string bob = null!;
    private string group = null!;
    private string message = null!;
    private string newest = null!;
    private string file = null!;
    private string cursor = null!;

    [SetUp]
    public async Task SayAsync()
    {
        (ada, bob, group) = (await UserAsync(), await UserAsync(), null!);
        group = (await PostAsync(
            ada, "/v1/conversations", new { name = "Group", participantIds = new[] { bob }, policy = new { history = "since-join" } }))
            .GetProperty("id").GetString()!;
        cursor = await CursorAsync(bob);
        file = Id(await UploadAsync(ada, group, Pdf, $"{Secret}.pdf", "application/pdf"));
        var sent = await PostAsync(ada, $"/v1/conversations/{group}/messages",
            new { type = "file", text = Secret, metadata = new { a = Secret }, attachmentIds = new[] { file } });
        message = Id(sent);
        await OfMessageAsync(bob, HttpMethod.Put, $"/reactions/:{Secret}:");
        await OfMessageAsync(ada, HttpMethod.Put, "/pin");
        await PostAsync(ada, $"/v1/conversations/{group}/messages", new { text = $"{Secret}, re", replyToId = message });
        newest = Id(await PostAsync(ada, $"/v1/conversations/{group}/messages", new { text = $"newest {Secret}" }));
        await Api.Database.DrainedAsync();
    }

    [Test]
    public async Task Who_takes_part_finds_it_in_every_way()
    {
        foreach (var way in Ways(cursor).Where(way => way.Tells))
            Assert.That(await ReadAsync(bob, way.Path), Does.Contain(Secret), way.Path);
    }

    [TestCase("deleted for everyone")]
    [TestCase("deleted for oneself")]
    [TestCase("cleared")]
    [TestCase("before one came")]
    [TestCase("after one has left")]
    [TestCase("of others")]
    public async Task Nobody_else_finds_it_in_any_way(string why)
    {
        var (viewer, since) = await HideAsync(why);
        await Api.Database.DrainedAsync();

        foreach (var (path, _) in Ways(since))
            Assert.That(await ReadAsync(viewer, path), Does.Not.Contain(Secret), path);
    }

    [Test]
    public async Task Who_may_not_see_the_newest_message_hears_of_the_conversation_without_it()
    {
        var stranger = await UserAsync();
        await using var strangers = await ConnectAsync(stranger);
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await ConnectAsync(bob);

        await CallAsync(bob, HttpMethod.Delete, $"/v1/conversations/{group}/history");
        (await Api.ClientFor(ada).PatchAsJsonAsync($"/v1/conversations/{group}", new { description = "About animals" }))
            .EnsureSuccessStatusCode();

        Assert.That((await bobs.NextAsync("conversation:updated")).GetRawText(), Does.Contain("lastMessage").And.Not.Contain(Secret));
        Assert.That((await adas.NextAsync("conversation:updated")).GetRawText(), Does.Contain(Secret));
        await PostAsync(ada, $"/v1/conversations/{group}/participants", new { userIds = new[] { stranger } });
        Assert.That((await strangers.NextAsync("conversation:created")).GetRawText(), Does.Contain("lastMessage").And.Not.Contain(Secret));
    }

    [TestCase("deleted for oneself", "full")]
    [TestCase("deleted for oneself", "since-join")]
    [TestCase("cleared", "full")]
    [TestCase("cleared", "since-join")]
    public async Task An_answer_to_what_one_may_not_see_is_read_and_heard_without_it(string why, string history)
    {
        using var ruled = await Api.ClientFor(ada).PatchAsJsonAsync($"/v1/conversations/{group}", new { policy = new { history } });
        ruled.EnsureSuccessStatusCode();
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await ConnectAsync(bob);
        await CallAsync(bob, HttpMethod.Delete, why == "cleared" ? $"/v1/conversations/{group}/history"
            : $"/v1/conversations/{group}/messages/{message}?scope=me");

        var answer = Id(await ReplyAsync());
        await Api.Database.DrainedAsync();

        Assert.That(await QuotesAsync(bob, bobs), Is.EqualTo(new[] { "null", "null", "null" }));
        Assert.That(await QuotesAsync(ada, adas), Has.All.Contain($"\"preview\":\"{Secret}\"").And.Exactly(3).Items);

        // Live, resumed, and asked for.
        async Task<string[]> QuotesAsync(string user, HubClient client)
        {
            using var page = JsonDocument.Parse(await ReadAsync(user, $"/v1/sync?since={cursor}&limit=100"));
            using var read = JsonDocument.Parse(await ReadAsync(user, $"/v1/conversations/{group}/messages/{answer}"));
            return
            [
                (await client.NextAsync("message:new")).GetProperty("data").GetProperty("replyTo").GetRawText(),
                page.RootElement.GetProperty("events").EnumerateArray().Last(e => e.GetProperty("type").GetString() == "message:new")
                    .GetProperty("data").GetProperty("replyTo").GetRawText(),
                read.RootElement.GetProperty("replyTo").GetRawText(),
            ];
        }
    }

    // Each way of reading, and whether it tells of the message at all.
    private IEnumerable<(string Path, bool Tells)> Ways(string since)
    {
        var (conversation, path) = ($"/v1/conversations/{group}", $"/v1/conversations/{group}/messages/{message}");
        return
        [
            ($"{conversation}/messages", true),
            ($"{conversation}/messages?limit=1", true),
            ($"{conversation}/messages?before=3", true),
            ($"{conversation}/messages?after=1", true),
            ($"{conversation}/messages?around=2", true),
            (path, true),
            ($"{conversation}/messages/{newest}", true),
            ($"{path}/replies", true),
            ($"{path}/edits", false),
            ($"{path}/receipts", false),
            ($"{path}/reactions", true),
            ($"{conversation}/pins", true),
            (conversation, true),
            ("/v1/conversations", true),
            ("/v1/conversations?filter=unread", true),
            ("/v1/sync", true),
            ($"/v1/sync?since={since}&limit=100", true),
            ($"/v1/search/messages?q={Secret}", true),
            ($"/v1/search/messages?q={Secret}&conversationId={group}", true),
            ($"/v1/attachments/{file}", true),
        ];
    }

    // Whose it is not to see from now on, and where that one begins to listen.
    private async Task<(string Viewer, string Since)> HideAsync(string why)
    {
        var messages = await ListAsync();
        switch (why)
        {
            case "deleted for everyone":
                foreach (var id in messages)
                    await CallAsync(ada, HttpMethod.Delete, $"/v1/conversations/{group}/messages/{id}");
                return (bob, cursor);
            case "deleted for oneself":
                foreach (var id in messages)
                    await CallAsync(bob, HttpMethod.Delete, $"/v1/conversations/{group}/messages/{id}?scope=me");
                break;
            case "cleared":
                await CallAsync(bob, HttpMethod.Delete, $"/v1/conversations/{group}/history");
                break;
            case "after one has left":
                await CallAsync(bob, HttpMethod.Post, $"/v1/conversations/{group}/leave");
                return (bob, cursor);
            default:
                var stranger = await UserAsync();
                var since = await CursorAsync(stranger);
                if (why == "of others")
                    return (stranger, since);
                await PostAsync(ada, $"/v1/conversations/{group}/participants", new { userIds = new[] { stranger } });
                await ReplyAsync();
                return (stranger, since);
        }
        await ReplyAsync();
        return (bob, cursor);
    }

    // What is said later quotes it, for those who may see it.
    private Task<JsonElement> ReplyAsync() =>
        PostAsync(ada, $"/v1/conversations/{group}/messages", new { text = "later", replyToId = message });

    private async Task<IReadOnlyList<string>> ListAsync()
    {
        using var page = JsonDocument.Parse(await ReadAsync(ada, $"/v1/conversations/{group}/messages"));
        return [.. page.RootElement.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("type").GetString() != "system")
            .Select(Id)];
    }

    private Task OfMessageAsync(string user, HttpMethod method, string what) =>
        CallAsync(user, method, $"/v1/conversations/{group}/messages/{message}{what}");

    private async Task CallAsync(string user, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await Api.ClientFor(user).SendAsync(request);
        Assert.That(answer.IsSuccessStatusCode, Is.True, $"{method} {path}: {answer.StatusCode}");
    }

    private async Task<string> ReadAsync(string user, string path)
    {
        using var answer = await Api.ClientFor(user).GetAsync(path);
        return await answer.Content.ReadAsStringAsync();
    }
}
