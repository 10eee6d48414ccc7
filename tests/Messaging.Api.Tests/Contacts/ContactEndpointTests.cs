using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;

namespace Messaging.Api.Tests.Contacts;

/// <summary>Statuses, shapes and events of contacts, blocks and requests.</summary>
public sealed class ContactEndpointTests
{
    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(("Messaging:Policies:DirectMessages", "requests"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_contact_is_asked_accepted_and_removed()
    {
        var (ada, bob) = (await UserAsync("ada"), await UserAsync("bob"));

        var asked = await api.ClientFor(ada).PostAsJsonAsync("/v1/contacts", new { userId = bob });
        var accepted = await api.ClientFor(bob).PostAsync($"/v1/contacts/{ada}/accept", content: null);

        Assert.That(
            (asked.StatusCode, asked.Headers.Location!.OriginalString), Is.EqualTo((HttpStatusCode.Created, $"/v1/contacts/{bob}")));
        Assert.That((await accepted.Content.ReadFromJsonAsync<JsonObject>())!["status"]!.GetValue<string>(), Is.EqualTo("accepted"));
        Assert.That(
            (await ItemsAsync(ada, "/v1/contacts?status=accepted")).Single()!["user"]!["userId"]!.GetValue<string>(), Is.EqualTo(bob));
        Assert.That((await api.ClientFor(ada).DeleteAsync($"/v1/contacts/{bob}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await api.ClientFor(ada).DeleteAsync($"/v1/contacts/{bob}")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task A_block_is_put_and_taken_away_as_often_as_one_likes()
    {
        var (ada, bob) = (await UserAsync("ada"), await UserAsync("bob"));

        Assert.That((await PutAsync(ada, bob)).StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Assert.That((await PutAsync(ada, bob)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await PutAsync(ada, "nobody-at-all")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await PutAsync(ada, ada)).StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(await ItemsAsync(ada, "/v1/blocks"), Has.Count.EqualTo(1));
        Assert.That((await api.ClientFor(ada).DeleteAsync($"/v1/blocks/{bob}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await api.ClientFor(ada).DeleteAsync($"/v1/blocks/{bob}")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));

        Task<HttpResponseMessage> PutAsync(string user, string other) => api.ClientFor(user).PutAsync($"/v1/blocks/{other}", content: null);
    }

    [Test]
    public async Task A_first_message_is_told_as_a_request_alone_until_it_is_accepted()
    {
        var (ada, bob) = (await UserAsync("ada"), await UserAsync("bob"));
        var since = (await api.ClientFor(bob).GetFromJsonAsync<JsonObject>("/v1/sync"))!["cursor"]!.GetValue<string>();

        var opened = await api.ClientFor(ada)
            .PostAsJsonAsync("/v1/conversations/direct", new { userId = bob, message = new { text = "hello?" } });
        var pending = await EventsAsync(bob, since);
        var request = (await ItemsAsync(bob, "/v1/message-requests?status=pending")).Single()!;
        var second = await api.ClientFor(ada)
            .PostAsJsonAsync($"/v1/conversations/{request["conversationId"]}/messages", new { text = "hello??" });
        var accepted = await api.ClientFor(bob).PostAsync($"/v1/message-requests/{request["id"]}/accept", content: null);

        Assert.That((opened.StatusCode, second.StatusCode, accepted.StatusCode),
            Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.Conflict, HttpStatusCode.OK)));
        Assert.That(pending, Is.EqualTo(new[] { "request:received" }));
        Assert.That(await EventsAsync(bob, since),
            Does.Contain("conversation:created").And.Contain("contact:accepted").And.Contain("request:answered"));
        Assert.That(await ItemsAsync(bob, "/v1/conversations"), Has.Count.EqualTo(1));
    }

    [TestCase(0)]
    [TestCase(1)]
    public async Task Events_of_a_request_and_its_answer_lead_to_what_a_fresh_snapshot_shows(int writer)
    {
        var users = new[] { await UserAsync("ada"), await UserAsync("bob") };
        var models = users.Select(user => new ClientModel(user, SyncAsync(user, null).Result)).ToList();

        await api.ClientFor(users[0]).PostAsJsonAsync("/v1/conversations/direct", new { userId = users[1] });
        await FoldAsync();
        await api.ClientFor(users[writer]).PostAsJsonAsync(
            "/v1/conversations/direct", new { userId = users[1 - writer], message = new { text = "hello?" } });
        await FoldAsync();
        var request = (await ItemsAsync(users[1 - writer], "/v1/message-requests")).Single()!;
        await api.ClientFor(users[1 - writer]).PostAsync($"/v1/message-requests/{request["id"]}/accept", content: null);
        await FoldAsync();

        Assert.That(models[1 - writer].Unread, Is.EqualTo(1));

        async Task FoldAsync()
        {
            await api.Database.DrainedAsync();
            foreach (var (model, user) in models.Zip(users))
            {
                foreach (var envelope in (await SyncAsync(user, model.Cursor))["events"]!.AsArray())
                    model.Apply(envelope!.AsObject());
                var fresh = await SyncAsync(user, null);
                Assert.That(model.Inbox, Is.EqualTo(new ClientModel(user, fresh).Inbox));
                Assert.That(model.Unread, Is.EqualTo(fresh["unread"]!["messages"]!.GetValue<long>()));
            }
        }
    }

    [TestCase("""{"policy":{"posting":"nobody"}}""", "#/policy/posting", "everyone, admins")]
    [TestCase("""{"policy":{"reactions":{"modes":"one"}}}""", "#/policy/reactions/modes", "no such member")]
    [TestCase("""{"policy":{"slowModeSeconds":-1}}""", "#/policy/slowModeSeconds", "86400")]
    public async Task A_mistake_within_a_policy_is_reported_with_its_pointer(string body, string pointer, string detail)
    {
        var (ada, bob) = (await UserAsync("ada"), await UserAsync("bob"));
        await api.ClientFor(ada).PostAsJsonAsync("/v1/contacts", new { userId = bob });
        await api.ClientFor(bob).PostAsync($"/v1/contacts/{ada}/accept", content: null);
        var created = await api.ClientFor(ada).PostAsJsonAsync("/v1/conversations", new { name = "Group", participantIds = new[] { bob } });
        var id = (await created.Content.ReadFromJsonAsync<JsonObject>())!["id"]!.GetValue<string>();

        var refused = await api.ClientFor(ada).PatchAsync(
            $"/v1/conversations/{id}", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        var error = (await refused.Content.ReadFromJsonAsync<JsonObject>())!["errors"]![0]!;
        Assert.That(error["pointer"]!.GetValue<string>(), Is.EqualTo(pointer));
        Assert.That(error["detail"]!.GetValue<string>(), Does.Contain(detail));
    }

    [Test]
    public async Task One_is_told_the_policies_in_force()
    {
        var me = (await api.ClientFor(await UserAsync("ada")).GetFromJsonAsync<JsonObject>("/v1/me"))!;

        Assert.That(me["policies"]!["directMessages"]!.GetValue<string>(), Is.EqualTo("requests"));
        Assert.That(me["policies"]!["conversations"]!["history"]!.GetValue<string>(), Is.EqualTo("full"));
    }

    private async Task<string> UserAsync(string name)
    {
        var user = $"{name}-{Guid.NewGuid():N}";
        (await api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        return user;
    }

    private async Task<JsonObject> SyncAsync(string user, string? since) =>
        (await api.ClientFor(user).GetFromJsonAsync<JsonObject>(since is null ? "/v1/sync" : $"/v1/sync?since={since}"))!;

    private async Task<JsonArray> ItemsAsync(string user, string path) =>
        (await api.ClientFor(user).GetFromJsonAsync<JsonObject>(path))!["items"]!.AsArray();

    private async Task<IReadOnlyList<string>> EventsAsync(string user, string since)
    {
        await api.Database.DrainedAsync();
        var page = (await api.ClientFor(user).GetFromJsonAsync<JsonObject>($"/v1/sync?since={since}"))!;
        return [.. page["events"]!.AsArray().Select(envelope => envelope!["type"]!.GetValue<string>())];
    }
}
