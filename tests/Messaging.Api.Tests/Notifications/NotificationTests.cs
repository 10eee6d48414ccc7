using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Tests.Realtime;

namespace Messaging.Api.Tests.Notifications;

/// <summary>Notifications on their whole way: a message is sent, and those who are not looking find what they are notified of.</summary>
public sealed class NotificationTests : HubFixture
{
    [Test]
    public async Task Who_is_not_connected_finds_an_entry_that_resuming_tells_of_too()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = (string?)(await Api.ClientFor(bob).GetFromJsonAsync<JsonObject>("/v1/sync"))!["cursor"];
        await SendAsync(ada, group, "When will it arrive?");

        var entry = await EntryAsync(bob, one => (int?)one["count"] == 1);
        Assert.That(((string?)entry["type"], (string?)entry["senderId"], (bool?)entry["read"]), Is.EqualTo(("message", ada, (bool?)false)));
        var told = await ToldAsync(bob, cursor!);
        Assert.That(told.ToJsonString(), Is.EqualTo(entry.ToJsonString()));
        Assert.That((await EntriesAsync(ada)).Count, Is.Zero);
    }

    [Test]
    public async Task Who_is_away_hears_of_each_message()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var screen = await ConnectAsync(bob);
        await screen.SetAwayAsync(true);
        await SendAsync(ada, group, "one");
        var first = await screen.NextAsync("notification:new");
        await SendAsync(ada, group, "two");
        var second = await screen.NextAsync("notification:new");

        Assert.That((CountOf(first), CountOf(second)), Is.EqualTo((1, 2)));
        Assert.That(IdOf(first), Is.EqualTo(IdOf(second)));
        Assert.That(second.GetProperty("conversationId").GetString(), Is.EqualTo(group));

        static int CountOf(JsonElement e) => e.GetProperty("data").GetProperty("count").GetInt32();
        static string? IdOf(JsonElement e) => e.GetProperty("data").GetProperty("id").GetString();
    }

    [Test]
    public async Task Reading_the_conversation_marks_its_entry_and_the_next_message_makes_another()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group, "one");
        var entry = await EntryAsync(bob, one => (bool?)one["read"] == false);
        (await Api.ClientFor(bob).PostAsJsonAsync($"/v1/conversations/{group}/read", new { })).EnsureSuccessStatusCode();
        Assert.That((bool?)(await EntriesAsync(bob)).Single()!["read"], Is.True);

        await SendAsync(ada, group, "two");
        var next = await EntryAsync(bob, one => (bool?)one["read"] == false);
        Assert.That((string?)next["id"], Is.Not.EqualTo((string?)entry["id"]));
        Assert.That((await EntriesAsync(bob)).Count, Is.EqualTo(2));
    }

    [Test]
    public async Task A_silent_message_is_unread_and_notifies_nobody()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var path = $"/v1/conversations/{group}/messages";
        (await Api.ClientFor(ada).PostAsJsonAsync(path, new { text = "psst", mentions = new[] { bob }, silent = true }))
            .EnsureSuccessStatusCode();
        await SendAsync(ada, group, "aloud");

        var entry = await EntryAsync(bob, _ => true);
        Assert.That(((int?)entry["count"], (await EntriesAsync(bob)).Count), Is.EqualTo(((int?)1, 1)));
        var unread = await Api.ClientFor(bob).GetFromJsonAsync<JsonObject>("/v1/unread");
        Assert.That((int?)unread!["messages"], Is.EqualTo(2));
    }

    [Test]
    public async Task Marking_answers_with_the_entry_and_with_how_many_there_were()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        foreach (var group in new[] { await GroupAsync(ada, bob), await GroupAsync(ada, bob) })
            await SendAsync(ada, group, "one");
        await UntilAsync(bob, entries => entries.Count == 2);
        var client = Api.ClientFor(bob);
        var id = (string?)(await EntriesAsync(bob))[0]!["id"];

        var read = await (await client.PostAsync($"/v1/notifications/{id}/read", null)).Content.ReadFromJsonAsync<JsonObject>();
        Assert.That(((string?)read!["id"], (bool?)read["read"]), Is.EqualTo((id, (bool?)true)));
        Assert.That(
            (await client.GetFromJsonAsync<JsonObject>("/v1/notifications?unread=true"))!["items"]!.AsArray(), Has.Count.EqualTo(1));
        // What it does is the same again: its answer is not kept for a repeat.
        client.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        Assert.That((await ReadAllAsync(), await ReadAllAsync()), Is.EqualTo((1, 0)));
        Assert.That(
            (await Api.ClientFor(ada).PostAsync($"/v1/notifications/{id}/read", null)).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));

        async Task<int?> ReadAllAsync() => (int?)(await (await client.PostAsync("/v1/notifications/read", null))
            .Content.ReadFromJsonAsync<JsonObject>())!["changed"];
    }

    [Test]
    public async Task Language_and_quiet_hours_are_ones_own_to_set_and_to_clear()
    {
        var client = Api.ClientFor(await UserAsync());
        var hours = new JsonObject
        {
            ["from"] = "22:00", ["to"] = "07:00", ["timeZone"] = "Europe/Berlin", ["days"] = new JsonArray("monday", "friday"),
        };
        var patch = new JsonObject { ["language"] = "de-AT", ["quietHours"] = hours };

        var set = await (await client.PatchAsJsonAsync("/v1/me", patch)).Content.ReadFromJsonAsync<JsonObject>();
        var me = await client.GetFromJsonAsync<JsonObject>("/v1/me");
        Assert.That(me!["quietHours"]!.ToJsonString(), Is.EqualTo(hours.ToJsonString()));
        Assert.That(((string?)me["language"], set!.ToJsonString()), Is.EqualTo(("de-AT", me.ToJsonString())));

        await client.PatchAsJsonAsync("/v1/me", new JsonObject { ["language"] = null, ["quietHours"] = null });
        me = await client.GetFromJsonAsync<JsonObject>("/v1/me");
        Assert.That((me!["language"], me["quietHours"]), Is.EqualTo(((JsonNode?)null, (JsonNode?)null)));
    }

    [TestCase("""{"language": "german!"}""", "#/language")]
    [TestCase("""{"quietHours": {"from": "25:00", "to": "07:00", "timeZone": "Europe/Berlin"}}""", "#/quietHours/from")]
    [TestCase("""{"quietHours": {"from": "22:00", "to": "22:00", "timeZone": "Europe/Berlin"}}""", "#/quietHours/to")]
    [TestCase("""{"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Berlin"}}""", "#/quietHours/timeZone")]
    [TestCase("""{"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Etc/UTC", "days": []}}""", "#/quietHours/days")]
    public async Task Settings_that_mean_nothing_are_refused(string body, string pointer)
    {
        var answer = await Api.ClientFor(await UserAsync()).PatchAsJsonAsync("/v1/me", JsonNode.Parse(body));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        var problem = await answer.Content.ReadFromJsonAsync<JsonObject>();
        Assert.That(problem!["errors"]!.AsArray().Select(error => (string)error!["pointer"]!), Is.EqualTo(new[] { pointer }));
    }

    private async Task<JsonObject> EntryAsync(string user, Func<JsonObject, bool> isWanted) =>
        (await UntilAsync(user, entries => entries.Any(one => isWanted(one!.AsObject()))))
            .First(one => isWanted(one!.AsObject()))!.AsObject();

    private async Task<JsonArray> UntilAsync(string user, Func<JsonArray, bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            var entries = await EntriesAsync(user);
            if (isSo(entries))
                return entries;
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    private async Task<JsonArray> EntriesAsync(string user) =>
        (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>("/v1/notifications"))!["items"]!.AsArray();

    // What is listed was committed with its event, which the sequencer moves a little later.
    private async Task<JsonObject> ToldAsync(string user, string cursor)
    {
        await Messaging.Testing.TestDatabaseQueries.DrainedAsync(Api.Database);
        var page = await Api.ClientFor(user).GetFromJsonAsync<JsonObject>($"/v1/sync?since={cursor}");
        return page!["events"]!.AsArray().Single(one => (string?)one!["type"] == "notification:new")!["data"]!.AsObject();
    }
}
