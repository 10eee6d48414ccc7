using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Messages;

/// <summary>Edits and deletions over REST, and what is told of them.</summary>
public sealed class MessageChangeTests : HubFixture
{
    [Test]
    public async Task An_edit_holds_to_its_version_and_is_heard_by_all()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var path = await MessageAsync(ada, group);
        await using var hub = await ConnectAsync(bob);

        var edited = await CallAsync(ada, HttpMethod.Patch, path, """{"text":"two"}""", version: "\"1\"");
        var again = await CallAsync(ada, HttpMethod.Patch, path, """{"text":"three"}""", version: "\"1\"");

        Assert.That((edited.StatusCode, edited.Headers.ETag!.Tag, again.StatusCode),
            Is.EqualTo((HttpStatusCode.OK, "\"2\"", HttpStatusCode.PreconditionFailed)));
        var heard = await hub.NextAsync("message:edited");
        Assert.That((Text(heard), heard.GetProperty("seq").GetInt64(), heard.GetProperty("data").GetProperty("version").GetInt64()),
            Is.EqualTo(("two", 2, 2)));
        var versions = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>($"{path}/edits");
        Assert.That(versions.GetProperty("items")[0].EnumerateObject().Select(member => member.Name),
            Is.EqualTo((string[])["version", "text", "metadata", "editedBy", "editedAt"]));
    }

    [Test]
    public async Task How_far_an_edited_message_has_come_is_told_as_it_is_by_then()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(ada);
        var path = await MessageAsync(ada, group);
        await CallAsync(ada, HttpMethod.Patch, path, """{"text":"two"}""");
        await PostAsync(bob, $"/v1/conversations/{group}/read", new { });
        await Api.Database.DrainedAsync();

        var edited = (await SyncAsync(ada, cursor)).GetProperty("events").EnumerateArray()
            .Single(e => e.GetProperty("type").GetString() == "message:edited").GetProperty("data");

        Assert.That(
            (edited.GetProperty("recipientCount").GetInt32(), edited.GetProperty("deliveredCount").GetInt32(),
                edited.GetProperty("readCount").GetInt32()),
            Is.EqualTo((1, 1, 1)));
    }

    [TestCase("""{"text":"a","senderId":"x"}""", "#/senderId")]
    [TestCase("""{"mentions":["a b"]}""", "#/mentions/0")]
    [TestCase("""{"text":"\u0000"}""", "#/text")]
    [TestCase("""{"metadata":[]}""", "#/metadata")]
    public async Task An_invalid_patch_of_a_message_is_refused_with_its_pointer(string body, string pointer)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var path = await MessageAsync(ada, await GroupAsync(ada, bob));

        var answer = await CallAsync(ada, HttpMethod.Patch, path, body);

        Assert.That((int)answer.StatusCode, Is.EqualTo(400));
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors")[0].GetProperty("pointer").GetString(),
            Is.EqualTo(pointer));
    }

    [TestCase("?scope=all", 400)]
    [TestCase("?reason=boredom", 400)]
    [TestCase("?scope=me&reason=spam", 400)]
    [TestCase("?scope=everyone&reason=spam", 204)]
    [TestCase("", 204)]
    public async Task Scopes_and_reasons_of_a_deletion(string query, int status)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var path = await MessageAsync(ada, await GroupAsync(ada, bob));

        Assert.That((int)(await CallAsync(ada, HttpMethod.Delete, path + query)).StatusCode, Is.EqualTo(status));
        Assert.That((await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>(path)).GetProperty("deleted").ValueKind is JsonValueKind.Object,
            Is.EqualTo(status == 204));
    }

    [Test]
    public async Task A_deletion_tells_everyone_whom_the_message_had_mentioned_and_one_for_oneself_tells_nobody_else()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var first = await MessageAsync(ada, group);
        var second = await MessageAsync(ada, group, bob);
        await Api.Database.DrainedAsync();
        await using var adas = await ConnectAsync(ada);
        await using var bobs = await ConnectAsync(bob);

        await CallAsync(bob, HttpMethod.Delete, $"{first}?scope=me");
        await CallAsync(ada, HttpMethod.Patch, first, """{"text":"unheard by bob"}""");
        await CallAsync(ada, HttpMethod.Delete, first);
        await CallAsync(ada, HttpMethod.Delete, second);

        var bobHeard = (await bobs.UntilAsync(IsSecond)).Where(
            e => e.GetProperty("type").GetString()!.StartsWith("message:", StringComparison.Ordinal)).ToList();
        Assert.That(bobHeard.Select(Summary), Is.EqualTo((string[])["message:deleted 2 me", "message:deleted 3 everyone"]));
        Assert.That(bobHeard[^1].GetProperty("data").GetProperty("mentions")[0].GetString(), Is.EqualTo(bob));
        Assert.That(
            (await adas.UntilAsync(IsSecond)).Where(e => e.GetProperty("type").GetString() == "message:deleted").Select(Summary),
            Is.EqualTo((string[])["message:deleted 2 everyone", "message:deleted 3 everyone"]));

        static bool IsSecond(JsonElement e) => Summary(e) == "message:deleted 3 everyone";

        static string Summary(JsonElement e) => e.GetProperty("type").GetString() is "message:deleted"
            ? $"message:deleted {e.GetProperty("seq")} {e.GetProperty("data").GetProperty("deleted").GetProperty("scope")}"
            : $"{e.GetProperty("type")} {e.GetProperty("seq")}";
    }

    [Test]
    public async Task Nothing_that_was_deleted_is_in_any_answer_but_the_moderators()
    {
        const string Secret = "wombat";
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var (adas, services) = (await CursorAsync(ada), (await ServiceAsync("/v1/sync")).GetProperty("cursor").GetString());
        var path = await SaidAsync(ada, group, new
        {
            type = "shared", text = Secret, metadata = new { a = Secret }, reference = new { type = "post", id = "1", title = Secret },
            clientMessageId = "key",
        });
        await SaidAsync(bob, group, new { text = "re", replyToId = path.Split('/')[^1] });
        await CallAsync(bob, HttpMethod.Put, $"{path}/reactions/:{Secret}:");
        await CallAsync(ada, HttpMethod.Put, $"{path}/pin");
        await CallAsync(ada, HttpMethod.Patch, path, $$"""{"text":"another {{Secret}}"}""");
        var newest = await SaidAsync(ada, group, new { text = Secret });
        await CallAsync(ada, HttpMethod.Patch, $"/v1/conversations/{group}", """{"description":"told with the newest message"}""");

        await CallAsync(ada, HttpMethod.Delete, path);
        await CallAsync(ada, HttpMethod.Delete, newest);
        await Api.Database.DrainedAsync();

        foreach (var user in new[] { ada, bob })
        {
            foreach (var address in new[]
            {
                path, newest, $"{path}/edits", $"{path}/receipts", $"{path}/reactions", $"{path}/replies",
                $"/v1/conversations/{group}/pins", $"/v1/conversations/{group}", $"/v1/conversations/{group}/messages",
                "/v1/conversations", "/v1/sync", $"/v1/sync?since={adas}&limit=100",
            })
                Assert.That(await Api.ClientFor(user).GetStringAsync(address), Does.Not.Contain(Secret), address);
        }
        var told = await ServiceAsync($"/v1/sync?since={services}&limit=100");
        Assert.That(told.GetRawText(), Does.Not.Contain(Secret).And.Contain("message:new").And.Contain("message:edited"));
        var retry = await PostAsync(ada, $"/v1/conversations/{group}/messages", new
        {
            type = "shared", text = Secret, metadata = new { a = Secret }, reference = new { type = "post", id = "1", title = Secret },
            clientMessageId = "key",
        });
        Assert.That(retry.GetRawText(), Does.Not.Contain(Secret));
        Assert.That((await ServiceAsync($"/v1/admin/messages/{path.Split('/')[^1]}")).GetRawText(), Does.Contain($"another {Secret}"));
    }

    [Test]
    public async Task Of_a_message_that_one_deleted_for_oneself_the_feed_tells_no_more_than_its_place()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        var path = await SaidAsync(ada, group, new { text = "wombat" });
        await CallAsync(ada, HttpMethod.Patch, path, """{"text":"wombats"}""");
        await CallAsync(bob, HttpMethod.Delete, $"{path}?scope=me");
        await Api.Database.DrainedAsync();

        var events = (await SyncAsync(bob, cursor)).GetProperty("events").EnumerateArray().ToList();

        Assert.That(string.Concat(events.Select(e => e.GetRawText())), Does.Not.Contain("wombat"));
        Assert.That(
            events.Select(e => e.GetProperty("type").GetString()),
            Is.EqualTo((string[])["message:new", "message:deleted", "unread:changed"]));
        Assert.That(events[0].GetProperty("data").GetProperty("deleted").GetProperty("scope").GetString(), Is.EqualTo("me"));
    }

    [TestCase("")]
    [TestCase("?scope=everyone")]
    public async Task A_conversation_is_deleted_in_the_version_that_was_read_or_not_at_all(string query)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var path = $"/v1/conversations/{await GroupAsync(ada, bob)}";
        var read = (await CallAsync(ada, HttpMethod.Get, path)).Headers.ETag!.Tag;
        var changed = (await CallAsync(ada, HttpMethod.Patch, path, """{"name":"New"}""")).Headers.ETag!.Tag;

        var (late, good) = (await CallAsync(ada, HttpMethod.Delete, path + query, version: read),
            await CallAsync(ada, HttpMethod.Delete, path + query, version: changed));

        Assert.That((late.StatusCode, good.StatusCode), Is.EqualTo((HttpStatusCode.PreconditionFailed, HttpStatusCode.NoContent)));
    }

    [Test]
    public async Task A_group_handed_over_is_answered_with_its_version()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var path = $"/v1/conversations/{await GroupAsync(ada, bob)}";

        var answer = await CallAsync(ada, HttpMethod.Post, $"{path}/owner", $$"""{"userId":"{{bob}}"}""");

        var version = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version");
        Assert.That(answer.Headers.ETag?.Tag, Is.EqualTo($"\"{version}\""));
    }

    [TestCase("")]
    [TestCase("?scope=everyone")]
    public async Task A_version_tells_strangers_nothing(string query)
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var path = $"/v1/conversations/{await GroupAsync(ada, bob)}";

        Assert.That(
            (await CallAsync(eve, HttpMethod.Delete, path + query, version: "\"99\"")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private Task<string> MessageAsync(string user, string group, params string[] mentions) =>
        SaidAsync(user, group, new { text = "one", mentions });

    private async Task<string> SaidAsync(string user, string group, object message)
    {
        var path = $"/v1/conversations/{group}/messages";
        return $"{path}/{(await PostAsync(user, path, message)).GetProperty("id").GetString()}";
    }

    private Task<JsonElement> ServiceAsync(string path) => Api.ServiceClient().GetFromJsonAsync<JsonElement>(path);

    private async Task<HttpResponseMessage> CallAsync(
        string user, HttpMethod method, string path, string? body = null, string? version = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (version is not null)
            request.Headers.TryAddWithoutValidation("If-Match", version);
        return await Api.ClientFor(user).SendAsync(request);
    }
}
