using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Reactions;

/// <summary>Routes, statuses, shapes and events of reactions.</summary>
public sealed class ReactionEndpointTests : HubFixture
{
    [Test]
    public async Task A_reaction_is_put_listed_and_taken_away()
    {
        var (users, path) = await MessageAsync(2);
        var client = Api.ClientFor(users[1]);

        var put = await client.PutAsync($"{path}/reactions/{Uri.EscapeDataString("❤")}", content: null);
        var again = await client.PutAsync($"{path}/reactions/%E2%9D%A4%EF%B8%8F", content: null);

        Assert.That((put.StatusCode, again.StatusCode), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.OK)));
        Assert.That(put.Headers.Location!.OriginalString, Is.EqualTo($"{path}/reactions?emoji=%E2%9D%A4%EF%B8%8F"));
        var listed = await client.GetFromJsonAsync<JsonObject>(put.Headers.Location);
        Assert.That(listed!["items"]!.AsArray().Single()!.ToJsonString(),
            Is.EqualTo((await again.Content.ReadFromJsonAsync<JsonObject>())!.ToJsonString()));
        Assert.That(
            (await client.GetFromJsonAsync<JsonObject>(path))!["reactions"]!.ToJsonString(
                new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }),
            Is.EqualTo($$"""[{"emoji":"❤️","count":1,"mine":true,"userIds":["{{users[1]}}"]}]"""));
        Assert.That(
            (await client.DeleteAsync($"{path}/reactions/{Uri.EscapeDataString("❤")}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(
            (await client.DeleteAsync($"{path}/reactions/{Uri.EscapeDataString("❤")}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await client.GetFromJsonAsync<JsonObject>($"{path}/reactions"))!["items"]!.AsArray(), Is.Empty);
    }

    [TestCase("1%EF%B8%8F%E2%83%A3", "1️⃣")]
    [TestCase("%23%E2%83%A3", "#️⃣")]
    [TestCase(":%2B1:", ":+1:")]
    [TestCase("%3Aship_it%3A", ":ship_it:")]
    public async Task The_emoji_in_the_path_is_percent_encoded(string encoded, string emoji)
    {
        var (users, path) = await MessageAsync(2);

        var put = await Api.ClientFor(users[0]).PutAsync($"{path}/reactions/{encoded}", content: null);

        Assert.That((await put.Content.ReadFromJsonAsync<JsonObject>())!["emoji"]!.GetValue<string>(), Is.EqualTo(emoji));
    }

    [Test]
    public async Task A_bare_name_is_the_name_between_colons()
    {
        var (users, path) = await MessageAsync(2);
        var client = Api.ClientFor(users[0]);

        var bare = await client.PutAsync($"{path}/reactions/like", content: null);
        var again = await client.PutAsync($"{path}/reactions/:Like:", content: null);

        Assert.That(((int)bare.StatusCode, (int)again.StatusCode), Is.EqualTo((201, 200)));
        Assert.That((await bare.Content.ReadFromJsonAsync<JsonObject>())!["emoji"]!.GetValue<string>(), Is.EqualTo(":like:"));
        Assert.That((await client.GetFromJsonAsync<JsonObject>($"{path}/reactions?emoji=like"))!["items"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That((await client.GetFromJsonAsync<JsonObject>(path))!["reactions"]!.AsArray().Single()!["emoji"]!.GetValue<string>(),
            Is.EqualTo(":like:"));
        Assert.That((int)(await client.DeleteAsync($"{path}/reactions/LIKE")).StatusCode, Is.EqualTo(204));
        Assert.That((await client.GetFromJsonAsync<JsonObject>($"{path}/reactions"))!["items"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task A_policy_allows_a_bare_name_as_the_one_between_colons()
    {
        var (users, path) = await MessageAsync(2);
        var client = Api.ClientFor(users[0]);

        var group = await client.PatchAsJsonAsync(
            string.Join('/', path.Split('/')[..4]), new { policy = new { reactions = new { allowed = new[] { "like", ":like:", "👍" } } } });

        Assert.That(
            (await group.Content.ReadFromJsonAsync<JsonObject>())!["policy"]!["reactions"]!["allowed"]!.AsArray()
                .Select(name => name!.GetValue<string>()),
            Is.EqualTo(new[] { ":like:", "👍" }));
        Assert.That((int)(await client.PutAsync($"{path}/reactions/like", content: null)).StatusCode, Is.EqualTo(201));
        Assert.That((int)(await client.PutAsync($"{path}/reactions/love", content: null)).StatusCode, Is.EqualTo(403));
    }

    [TestCase("yes%21", 400)]
    [TestCase("%20", 400)]
    [TestCase("%ED%A0%BD", 400)]
    [TestCase("%FF", 400)]
    [TestCase("a%2Fb", 400)]
    [TestCase("👍/more", 404)]
    public async Task A_reaction_that_is_no_emoji_is_refused(string encoded, int status)
    {
        var (users, path) = await MessageAsync(2);

        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, $"{path}/reactions/{encoded}");
            var refused = await Api.ClientFor(users[0]).SendAsync(request);
            Assert.That(((int)refused.StatusCode, refused.Content.Headers.ContentType!.MediaType),
                Is.EqualTo((status, "application/problem+json")));
        }
        Assert.That((int)(await Api.ClientFor(users[0]).GetAsync($"{path}/reactions?emoji=yes%21")).StatusCode, Is.EqualTo(400));
    }

    [Test]
    public async Task Who_is_not_in_the_conversation_finds_nothing_and_a_key_needs_the_scope()
    {
        var (_, path) = await MessageAsync(2);
        var eve = Api.ClientFor(await UserAsync());

        Assert.That((int)(await eve.PutAsync($"{path}/reactions/👍", content: null)).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await eve.DeleteAsync($"{path}/reactions/👍")).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await eve.GetAsync($"{path}/reactions")).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await Api.ServiceClient().PutAsync($"{path}/reactions/👍", content: null)).StatusCode, Is.EqualTo(400));
        Assert.That((int)(await Api.ServiceClient().GetAsync($"{path}/reactions")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Everybody_in_the_conversation_hears_it_at_the_messages_seq()
    {
        var (users, path) = await MessageAsync(2);
        await using var hub = await ConnectAsync(users[0]);

        await Api.ClientFor(users[1]).PutAsync($"{path}/reactions/👍", content: null);

        var heard = await hub.NextAsync("message:reaction");
        Assert.That(heard.GetProperty("seq").GetInt64(), Is.EqualTo(2));
        Assert.That(
            JsonNode.DeepEquals(
                JsonNode.Parse(heard.GetProperty("data").GetRawText()),
                JsonNode.Parse($$"""{"messageId":"{{path[^36..]}}","emoji":"👍","userId":"{{users[1]}}","added":true,"count":1}""")),
            Is.True);
    }

    [TestCase("many")]
    [TestCase("one")]
    public async Task A_page_and_the_events_after_it_make_the_page_of_later(string mode)
    {
        var (users, path) = await MessageAsync(4);
        var list = path[..path.LastIndexOf('/')];
        await SendAsync(users[1], list.Split('/')[3]);
        (await Api.ClientFor(users[0]).PatchAsJsonAsync(list[..list.LastIndexOf('/')], new { policy = new { reactions = new { mode } } }))
            .EnsureSuccessStatusCode();
        await PutAsync(0, "👍");
        var cursor = await CursorAsync(users[0]);
        var models = await Task.WhenAll(users.Select(ModelAsync));

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() => i % 3 == 2
            ? Api.ClientFor(users[i % 4]).DeleteAsync($"{path}/reactions/{Emoji(i / 2)}")
            : PutAsync(i % 4, Emoji(i)))));

        await Api.Database.DrainedAsync();
        var events = (await SyncAsync(users[0], cursor)).GetProperty("events").EnumerateArray()
            .Select(e => JsonNode.Parse(e.GetRawText())!.AsObject()).ToList();
        foreach (var (model, user) in models.Zip(users))
        {
            events.ForEach(model.Apply);
            Assert.That(model.Shown, Is.EqualTo((await ModelAsync(user)).Shown));
        }

        string Emoji(int i) => Uri.EscapeDataString(new[] { "👍", "🎉", "❤", ":a:" }[i % 4]);
        Task<HttpResponseMessage> PutAsync(int who, string emoji) =>
            Api.ClientFor(users[who]).PutAsync($"{path}/reactions/{emoji}", content: null);
        async Task<ReactionModel> ModelAsync(string user) =>
            new(user, (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>(list))!["items"]!.AsArray());
    }

    [Test]
    public async Task A_group_allows_what_is_an_emoji_only_and_says_which_is_none()
    {
        var (users, path) = await MessageAsync(2);
        var group = string.Join('/', path.Split('/')[..4]);

        var refused = await Api.ClientFor(users[0])
            .PatchAsJsonAsync(group, new { policy = new { reactions = new { allowed = new[] { "👍", "a b", "🎉", "" } } } });

        Assert.That((int)refused.StatusCode, Is.EqualTo(400));
        Assert.That(
            (await refused.Content.ReadFromJsonAsync<JsonObject>())!["errors"]!.AsArray()
                .Select(error => error!["pointer"]!.GetValue<string>()),
            Is.EqualTo(new[] { "#/policy/reactions/allowed/1", "#/policy/reactions/allowed/3" }));
    }

    private async Task<(string[] Users, string Path)> MessageAsync(int size)
    {
        var users = new string[size];
        for (var i = 0; i < size; i++)
            users[i] = await UserAsync();
        var group = await GroupAsync(users);
        var message = await SendAsync(users[0], group);
        return (users, $"/v1/conversations/{group}/messages/{message.GetProperty("id").GetString()}");
    }
}
