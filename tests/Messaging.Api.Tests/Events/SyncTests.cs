using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Events;

public sealed class SyncTests : HubFixture
{
    [Test]
    public async Task A_snapshot_has_the_inbox_the_badge_and_where_to_go_on()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group);

        var snapshot = await SyncAsync(bob);

        var first = snapshot.GetProperty("conversations").GetProperty("items")[0];
        Assert.That(
            (first.GetProperty("id").GetString(), first.GetProperty("me").GetProperty("unreadCount").GetInt64()), Is.EqualTo((group, 1)));
        Assert.That(snapshot.GetProperty("unread").GetProperty("messages").GetInt64(), Is.EqualTo(1));
        Assert.That(snapshot.TryGetProperty("events", out _), Is.False);
    }

    [Test]
    public async Task The_events_behind_a_cursor_come_page_by_page()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        for (var i = 1; i <= 5; i++)
            await SendAsync(ada, group, $"{i}");
        await Api.Database.DrainedAsync();

        var first = await SyncAsync(bob, $"{cursor}&limit=3");
        var second = await SyncAsync(bob, $"{first.GetProperty("cursor").GetString()}&limit=3");

        Assert.That(Texts(first).Concat(Texts(second)), Is.EqualTo((string[])["1", "2", "3", "4", "5"]));
        Assert.That((first.GetProperty("hasMore").GetBoolean(), second.GetProperty("hasMore").GetBoolean()), Is.EqualTo((true, false)));
        Assert.That(first.TryGetProperty("conversations", out _), Is.False);
    }

    [Test]
    public async Task The_service_gets_everyones_events_and_without_a_cursor_only_that()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await Api.Database.DrainedAsync();
        var start = await Api.ServiceClient().GetFromJsonAsync<JsonElement>("/v1/sync");
        await SendAsync(ada, group, "for the service");
        await Api.Database.DrainedAsync();

        var page = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/sync?since={start.GetProperty("cursor").GetString()}");

        Assert.That(start.EnumerateObject().Select(member => member.Name), Is.EqualTo((string[])["cursor"]));
        Assert.That(Texts(page), Does.Contain("for the service"));
    }

    [Test]
    public async Task The_service_is_told_whose_an_event_is_and_users_are_not()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        await PatchAsync(bob, $"/v1/conversations/{group}/settings", new { starred = true });
        await SendAsync(ada, group);
        await Api.Database.DrainedAsync();

        var everyones = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/sync?since={cursor}");
        var own = await SyncAsync(bob, cursor);

        Assert.That(Owner(everyones, "settings:updated"), Is.EqualTo(bob));
        Assert.That(Owner(everyones, "message:new"), Is.Null);
        Assert.That(Owner(own, "settings:updated"), Is.Null);

        string? Owner(JsonElement page, string type) =>
            page.GetProperty("events").EnumerateArray().Single(e => e.GetProperty("type").GetString() == type)
                .TryGetProperty("userId", out var owner) ? owner.GetString() : null;
    }

    [TestCase("since=7", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("since=", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("since=00000001-1&limit=0", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("since=00000001-1&limit=101", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("limit=0", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("limit=101", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("cursor=00000001-1", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("since=00000001-1&limit=many", HttpStatusCode.BadRequest, "invalid-request")]
    [TestCase("since=ffffffff-1", HttpStatusCode.Gone, "cursor-expired")]
    public async Task A_sync_with_an_unusable_cursor_or_limit_is_refused(string query, HttpStatusCode status, string code)
    {
        var answer = await Api.ClientFor(await UserAsync()).GetAsync($"/v1/sync?{query}");

        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString(), Is.EqualTo(code));
    }

    private async Task PatchAsync(string user, string path, object body) =>
        (await Api.ClientFor(user).PatchAsJsonAsync(path, body)).EnsureSuccessStatusCode();

    private static IEnumerable<string> Texts(JsonElement page) =>
        page.GetProperty("events").EnumerateArray().Where(e => e.GetProperty("type").GetString() == "message:new").Select(Text);
}
