using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Tests.Surface;

/// <summary>A host's own JSON is judged alike wherever it is taken, by what comes back.</summary>
public sealed class MetadataTests : HubFixture
{
    [TestCase("1e-16383")]
    [TestCase("1e-16384")]
    [TestCase("1e400000")]
    [TestCase("-1e-999999999999")]
    [TestCase("1e999999999999")]
    [TestCase("0e999999999999")]
    public async Task A_number_that_would_grow_is_refused_wherever_metadata_are_taken(string number)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = $"/v1/conversations/{await GroupAsync(ada, bob)}";
        var message = (await PostAsync(ada, $"{group}/messages", new { text = "a" })).GetProperty("id").GetString();
        var (user, service) = (Api.ClientFor(ada), Api.ServiceClient());
        var metadata = $$"""{"a":[0,{{number}}]}""";

        foreach (var (client, method, path, body, pointer) in ((HttpClient, HttpMethod, string, string, string)[])
        [
            (user, HttpMethod.Post, "/v1/conversations", $$"""{"name":"a","participantIds":[],"metadata":{{metadata}}}""", "#/metadata"),
            (user, HttpMethod.Patch, group, $$"""{"metadata":{{metadata}}}""", "#/metadata"),
            (user, HttpMethod.Post, $"{group}/messages", $$"""{"text":"a","metadata":{{metadata}}}""", "#/metadata"),
            (user, HttpMethod.Patch, $"{group}/messages/{message}", $$"""{"metadata":{{metadata}}}""", "#/metadata"),
            (user, HttpMethod.Post, "/v1/conversations/direct",
                $$$"""{"userId":"{{{bob}}}","message":{"text":"a","metadata":{{{metadata}}}}}""", "#/message/metadata"),
            (user, HttpMethod.Patch, "/v1/me", $$"""{"metadata":{{metadata}}}""", "#/metadata"),
            (service, HttpMethod.Put, $"/v1/users/{ada}", $$"""{"metadata":{{metadata}}}""", "#/metadata"),
            (service, HttpMethod.Put, "/v1/users", $$"""{"users":[{"userId":"{{ada}}","metadata":{{metadata}}}]}""", "#/users/0/metadata"),
        ])
            Assert.That(await SendAsync(client, method, path, body).PointersAsync(), Is.EqualTo(pointer), $"{method} {path}");
    }

    [Test]
    public async Task The_hub_refuses_such_a_number_too()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var hub = await ConnectAsync(ada);

        var message = JsonSerializer.Deserialize<JsonElement>("""{"text":"a","metadata":{"a":1e-16383}}""");

        Assert.That(
            (await Assert.ThrowsAsync<HubException>(() => hub.SendMessageAsync(group, message)))!.Message, Does.Contain("invalid-request"));
    }

    [Test]
    public async Task The_bound_holds_for_what_comes_back()
    {
        string Body(int items) => $$$"""{"metadata":{"a":[{{{string.Join(',', Enumerable.Repeat('1', items))}}}]}}""";
        var ada = await UserAsync();

        var stored = await SendAsync(Api.ServiceClient(), HttpMethod.Put, $"/v1/users/{ada}", Body(5_459));
        var refused = SendAsync(Api.ServiceClient(), HttpMethod.Put, $"/v1/users/{ada}", Body(5_460));

        Assert.That((await stored.JsonAsync()).GetProperty("metadata").GetRawText(), Has.Length.EqualTo(16_384));
        Assert.That(await refused.PointersAsync(), Is.EqualTo("#/metadata"));
    }

    [Test]
    public async Task Escapes_do_not_count_where_none_come_back()
    {
        var ada = await UserAsync();
        var patch = $$$"""{"metadata":{"a":"{{{string.Concat(Enumerable.Repeat("😀", 4_000))}}}"}}""";

        Assert.That((int)(await SendAsync(Api.ClientFor(ada), HttpMethod.Patch, "/v1/me", patch)).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task A_number_that_the_release_before_still_writes_is_sent_as_the_nearest_double_and_patched_beside()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var (path, user) = ($"/v1/conversations/{group}", Api.ClientFor(ada));
        var message = (await PostAsync(ada, $"{path}/messages", new { text = "a" })).GetProperty("id").GetString();
        var cursor = (await user.GetFromJsonAsync<JsonElement>("/v1/sync")).GetProperty("cursor").GetString();
        const string metadata = """{"a": 1e-16383}""";
        await using var hub = await ConnectAsync(ada);
        await ExecuteAsync(
            $"""
            UPDATE messages SET metadata = '{metadata}' WHERE id = '{message}';
            UPDATE conversations SET metadata = '{metadata}' WHERE id = '{group}';
            INSERT INTO outbox (occurred_at, conversation_id, event_no, type, payload)
            SELECT now(), '{group}', event_no + 1, 'test:event', '{metadata}' FROM conversations WHERE id = '{group}'
            """);

        var heard = await hub.NextAsync("test:event");
        var patched = await SendAsync(user, HttpMethod.Patch, path, """{"metadata":{"b":1}}""");

        Assert.That(heard.GetProperty("data").GetRawText(), Has.Length.LessThan(20));
        Assert.That((await patched.JsonAsync()).GetProperty("metadata").GetRawText(), Has.Length.LessThan(20));
        foreach (var read in (string[])[path, $"{path}/messages", $"/v1/sync?since={cursor}"])
            Assert.That(await user.GetStringAsync(read), Does.Not.Contain("00000000000"), read);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await client.SendAsync(request);
    }
}
