using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Tests.Realtime;
using Messaging.Infrastructure.Retention;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Saved;

/// <summary>Routes, statuses, shapes and events of saved messages.</summary>
public sealed class SavedEndpointTests : HubFixture
{
    [Test]
    public async Task A_message_is_saved_listed_and_taken_out()
    {
        var (users, path) = await MessageAsync();
        var client = Api.ClientFor(users[1]);

        var put = await client.PutAsync($"{path}/saved", content: null);
        var again = await client.PutAsync($"{path}/saved", content: null);

        Assert.That((put.StatusCode, again.StatusCode), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.OK)));
        Assert.That(put.Headers.Location!.OriginalString, Is.EqualTo("/v1/saved"));
        var listed = (await client.GetFromJsonAsync<JsonObject>("/v1/saved"))!["items"]!.AsArray().Single()!;
        Assert.That(listed.ToJsonString(), Is.EqualTo((await again.Content.ReadFromJsonAsync<JsonObject>())!.ToJsonString()));
        Assert.That(listed["message"]!.ToJsonString(), Is.EqualTo((await client.GetFromJsonAsync<JsonObject>(path))!.ToJsonString()));
        Assert.That((await client.DeleteAsync($"{path}/saved")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await client.DeleteAsync($"{path}/saved")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await client.GetFromJsonAsync<JsonObject>("/v1/saved"))!["items"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Ones_own_devices_hear_it_and_nobody_else()
    {
        var (users, path) = await MessageAsync();
        await using var own = await ConnectAsync(users[1]);
        await using var other = await ConnectAsync(users[0]);

        await Api.ClientFor(users[1]).PutAsync($"{path}/saved", content: null);
        await Api.ClientFor(users[1]).DeleteAsync($"{path}/saved");
        await SendAsync(users[0], Conversation(path), "after");

        var heard = (await own.UntilAsync(SaysAfter))
            .Where(e => e.GetProperty("type").GetString() == "message:saved").ToList();
        Assert.That(heard.Select(e => e.GetProperty("seq").GetInt64()), Is.EqualTo(new[] { 2, 2 }));
        Assert.That(heard.Select(e => e.GetProperty("conversationId").GetString()), Is.All.EqualTo(Conversation(path)));
        var ids = $"conversationId={Conversation(path)} messageId={path[^36..]}";
        Assert.That(
            heard.Select(e => JsonNode.Parse(e.GetProperty("data").GetRawText())!.AsObject()).Select(Sorted),
            Is.EqualTo(new[] { $"{ids} saved=true", $"{ids} saved=false" }));
        var others = await other.UntilAsync(SaysAfter);
        Assert.That(others.Select(e => e.GetProperty("type").GetString()), Has.None.EqualTo("message:saved"));

        // The first message may still be on its way to who has just connected.
        static bool SaysAfter(JsonElement e) =>
            e.GetProperty("type").GetString() == "message:new" && e.GetProperty("data").GetProperty("text").GetString() == "after";
    }

    [Test]
    public async Task Events_of_messages_say_nothing_of_who_has_saved_them()
    {
        var (users, path) = await MessageAsync();
        await Api.ClientFor(users[1]).PutAsync($"{path}/saved", content: null);
        await using var own = await ConnectAsync(users[1]);

        await Api.ClientFor(users[0]).PatchAsJsonAsync(path, new { text = "edited" });

        var edited = (await own.NextAsync("message:edited")).GetProperty("data");
        Assert.That(edited.GetProperty("saved").ValueKind, Is.EqualTo(System.Text.Json.JsonValueKind.Null));
    }

    [TestCase("limit=0")]
    [TestCase("limit=101")]
    [TestCase("cursor=nonsense")]
    public async Task A_page_that_cannot_be_is_refused(string query) =>
        Assert.That((int)(await Api.ClientFor(await UserAsync()).GetAsync($"/v1/saved?{query}")).StatusCode, Is.EqualTo(400));

    [Test]
    public async Task A_cursor_of_another_list_is_called_that()
    {
        var (user, other) = (await UserAsync(), await UserAsync());
        await GroupAsync(user, other);
        await GroupAsync(user, other);
        var cursor = (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>("/v1/conversations?limit=1"))!["nextCursor"];

        var refusal = await (await Api.ClientFor(user).GetAsync($"/v1/saved?cursor={cursor}")).Content.ReadAsStringAsync();

        Assert.That(refusal, Does.Contain("another list"));
    }

    [Test]
    public async Task Nothing_that_was_saved_is_left_of_a_conversation_that_was_purged()
    {
        var (users, path) = await MessageAsync();
        (await Api.ClientFor(users[1]).PutAsync($"{path}/saved", content: null)).EnsureSuccessStatusCode();
        (await Api.ClientFor(users[0]).DeleteAsync($"/v1/conversations/{Conversation(path)}?scope=everyone")).EnsureSuccessStatusCode();

        await Api.Services.GetRequiredService<Purges>().PurgeAsync(CancellationToken.None);

        Assert.That(
            await Api.Database.RowsAsync($"SELECT seq FROM saved_messages WHERE user_id = '{users[1]}'", reader => reader.GetInt64(0)),
            Is.Empty);
    }

    private static string Conversation(string path) => path.Split('/')[3];

    private static string Sorted(JsonObject data) =>
        string.Join(' ', data.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{member.Key}={member.Value}"));

    private async Task<(string[] Users, string Path)> MessageAsync()
    {
        string[] users = [await UserAsync(), await UserAsync()];
        var group = await GroupAsync(users);
        var message = await SendAsync(users[0], group);
        return (users, $"/v1/conversations/{group}/messages/{message.GetProperty("id").GetString()}");
    }
}
