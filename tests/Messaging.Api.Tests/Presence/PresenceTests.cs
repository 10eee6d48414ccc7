using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Auth;
using Messaging.Infrastructure.Presence;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Messaging.Api.Tests.Presence;

[NonParallelizable]
public sealed class PresenceTests : PresenceFixture
{
    [Test]
    public async Task A_watcher_hears_somebody_come_go_away_and_leave_on_whichever_node()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        await using var adasPhone = await ConnectAsync(ada);
        Assert.That(StatusOf((await adasPhone.WatchAsync(new[] { bob })).GetProperty("items")[0]), Is.EqualTo("offline"));

        var bobsPhone = await ConnectToOtherAsync(bob);
        var online = await adasPhone.NextAsync("presence:changed");
        await bobsPhone.SetAwayAsync(true);
        var away = await adasPhone.NextAsync("presence:changed");
        await bobsPhone.DisposeAsync();
        await UntilOfflineAsync(bob);
        var offline = await adasPhone.NextAsync("presence:changed");

        Assert.That(((JsonElement[])[online, away, offline]).Select(e => StatusOf(e.GetProperty("data"))),
            Is.EqualTo((string[])["online", "away", "offline"]));
        Assert.That(((JsonElement[])[online, away, offline]).Select(UserOf), Is.All.EqualTo(bob));
        Assert.That(
            offline.GetProperty("data").GetProperty("lastSeenAt").GetDateTimeOffset(), Is.EqualTo(DateTimeOffset.UtcNow).Within(1).Minutes);
        foreach (var name in (string[])["id", "seq", "conversationId"])
            Assert.That(online.GetProperty(name).ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public async Task Presence_is_asked_for_by_ids_and_strangers_are_left_out()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        await using var bobsPhone = await ConnectAsync(bob);
        await using var evesPhone = await ConnectAsync(eve);

        var answer = await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/presence?ids={bob},{eve},nobody");
        var all = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/presence?ids={eve},{bob}");

        var item = answer.GetProperty("items").EnumerateArray().Single();
        Assert.That((item.GetProperty("userId").GetString(), StatusOf(item)), Is.EqualTo((bob, "online")));
        Assert.That(item.GetProperty("lastSeenAt").GetDateTimeOffset(), Is.EqualTo(DateTimeOffset.UtcNow).Within(1).Minutes);
        Assert.That(answer.GetProperty("nextCursor").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(all.GetProperty("items").EnumerateArray().Select(StatusOf), Is.EqualTo((string[])["online", "online"]));
    }

    [TestCase("")]
    [TestCase("?ids=")]
    [TestCase("?ids=a,,b")]
    [TestCase("?ids=not%20an%20id")]
    public async Task Ids_are_needed(string query) =>
        Assert.That(
            await Api.ClientFor(await UserAsync()).GetAsync("/v1/presence" + query).OutcomeAsync(), Is.EqualTo("400 invalid-request"));

    [Test]
    public async Task Who_watches_is_answered_as_who_asks()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        await using var phone = await ConnectAsync(ada);

        var (asked, watched) = (await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/presence?ids={bob}"),
            await phone.WatchAsync(new[] { bob }));

        Assert.That(JsonElement.DeepEquals(watched, asked), $"{watched} in place of {asked}");
    }

    [Test]
    public async Task At_most_two_hundred_are_watched()
    {
        await using var phone = await ConnectAsync(await UserAsync());

        Assert.That((await phone.WatchAsync(Enumerable.Range(0, 200).Select(i => $"{i}"))).GetProperty("items").GetArrayLength(), Is.Zero);
        Assert.That((await phone.WatchAsync(Array.Empty<string>())).GetProperty("items").GetArrayLength(), Is.Zero);
        foreach (var wrong in (object?[])[Enumerable.Range(0, 201).Select(i => $"{i}"), null, "ada", new object?[] { null }, new[] { 7 },
            new[] { "no id!" }])
            Assert.That(
                (await Assert.ThrowsAsync<HubException>(() => phone.WatchAsync(wrong)))!.Message, Does.Contain("invalid-request: "));
        Assert.That((await Assert.ThrowsAsync<HubException>(() => phone.SetAwayAsync("yes")))!.Message, Does.Contain("invalid-request: "));
    }

    [Test]
    public async Task A_stranger_hears_nothing_and_neither_does_who_has_become_one()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        var group = await GroupAsync(ada, eve);
        await using var evesPhone = await ConnectAsync(eve);
        await evesPhone.WatchAsync(new[] { ada, bob, eve });
        await ExecuteAsync($"UPDATE participants SET left_at = now() WHERE conversation_id = '{group}' AND user_id = '{eve}'");
        await Worker(Api).RecheckAsync(CancellationToken.None);

        await using var bobsPhone = await ConnectAsync(bob);
        await using var adasPhone = await ConnectAsync(ada);
        await evesPhone.SetAwayAsync(true);

        Assert.That(UserOf(await evesPhone.NextAsync("presence:changed")), Is.EqualTo(eve));
    }

    [TestCase("block")]
    [TestCase("remove")]
    [TestCase("contact")]
    public async Task A_watch_ends_as_soon_as_the_feed_tells_why(string why)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = why == "contact" ? null : await GroupAsync(ada, bob);
        if (why == "contact")
        {
            await PostAsync(ada, "/v1/contacts", new { userId = bob });
            await PostAsync(bob, "/v1/contacts", new { userId = ada });
        }
        await using var bobsPhone = await ConnectAsync(bob);
        Assert.That((await bobsPhone.WatchAsync(new[] { ada })).GetProperty("items").GetArrayLength(), Is.EqualTo(1));

        using var ended = why switch
        {
            "block" => await Api.ClientFor(ada).PutAsync($"/v1/blocks/{bob}", content: null),
            "remove" => await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/participants/{bob}"),
            _ => await Api.ClientFor(ada).DeleteAsync($"/v1/contacts/{bob}"),
        };

        ended.EnsureSuccessStatusCode();
        var presence = Api.Services.GetRequiredService<LivePresence>();
        await EventuallyAsync(() => Task.FromResult(!presence.WatchSets().Any(set => set.ViewerId == bob)));
    }

    [Test]
    public async Task Last_seen_is_written_and_told_after_a_restart()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        await using (await ConnectAsync(bob))
            await EventuallyAsync(async () => await WrittenAsync(bob));
        await using var third = Api.StartAnother();

        var answer = await third.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/presence?ids={bob}");

        Assert.That(answer.GetProperty("items")[0].GetProperty("lastSeenAt").ValueKind, Is.EqualTo(JsonValueKind.String));
    }

    [Test]
    public async Task A_node_that_stops_writes_down_whom_it_saw()
    {
        var bob = await UserAsync();
        await using (var third = Api.StartAnother())
        {
            await using var phone = await HubClient.ConnectAsync(third.Address, ApiHost.Token(bob));
        }

        Assert.That(await WrittenAsync(bob), Is.True);
    }

    [Test]
    public async Task Two_nodes_whose_bus_was_cut_agree_again()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await GroupAsync(ada, bob);
        await using var adasPhone = await ConnectAsync(ada);
        await adasPhone.WatchAsync(new[] { bob });
        await ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'messaging_bus' "
                + "AND pid <> pg_backend_pid()");

        await using var bobsPhone = await ConnectToOtherAsync(bob);
        await EventuallyAsync(async () => StatusOf((await adasPhone.WatchAsync(new[] { bob })).GetProperty("items")[0]) == "online");
    }

    [Test]
    public async Task Without_a_credential_nobody_is_told() =>
        Assert.That((await Api.AnonymousClient().GetAsync("/v1/presence?ids=ada")).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));

    private static PresenceWorker Worker(ApiHost host) => host.Services.GetServices<IHostedService>().OfType<PresenceWorker>().Single();

    private async Task<bool> WrittenAsync(string user) =>
        (await Api.Database.RowsAsync($"SELECT last_seen_at IS NOT NULL FROM users WHERE id = '{user}'", row => row.GetBoolean(0)))
            .Single();

    private async Task UntilOfflineAsync(string user)
    {
        var connections = Other.Services.GetRequiredService<LiveConnections>();
        await EventuallyAsync(() => Task.FromResult(connections.CountOf(user) == 0));
        // Slowly enough for the nodes to hear of each other in between.
        using var second = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        await EventuallyAsync(async () =>
        {
            await second.WaitForNextTickAsync();
            Time.Advance(TimeSpan.FromSeconds(1));
            var answer = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/presence?ids={user}");
            return StatusOf(answer.GetProperty("items")[0]) == "offline";
        });
    }
}
