using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Messaging.Api.Tests.Realtime;

public sealed class HubTests : HubFixture
{
    [Test]
    public async Task Every_participant_hears_a_sent_message_with_the_id_to_resume_from()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await Api.Database.DrainedAsync();
        await using var adasPhone = await ConnectAsync(ada);
        await using var bobsPhone = await ConnectAsync(bob);

        var sent = await adasPhone.SendMessageAsync(group, new { text = "hello", clientMessageId = "1" });

        foreach (var phone in new[] { adasPhone, bobsPhone })
        {
            // That the group was made may be told late, too.
            var heard = (await phone.UntilAsync(
                envelope => envelope.GetProperty("type").GetString() == "message:new" && envelope.GetProperty("seq").GetInt64() > 1))[^1];
            Assert.That(heard.GetProperty("data").GetProperty("id").GetString(), Is.EqualTo(sent.GetProperty("id").GetString()));
            Assert.That(heard.GetProperty("seq").GetInt64(), Is.EqualTo(sent.GetProperty("seq").GetInt64()));
            Assert.That(heard.GetProperty("conversationId").GetString(), Is.EqualTo(group));
            Assert.That(
                heard.GetProperty("occurredAt").GetDateTimeOffset(), Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
            Assert.That(heard.GetProperty("id").GetString(), Does.Match("^[0-9a-f]{8}-[0-9]+$"));
        }
    }

    [Test]
    public async Task Reading_is_heard_by_all_and_the_badge_by_ones_own_devices_only()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group);
        await Api.Database.DrainedAsync();
        await using var adasPhone = await ConnectAsync(ada);
        await using var bobsPhone = await ConnectAsync(bob);
        await using var bobsTablet = await ConnectAsync(bob);

        var state = await bobsPhone.MarkReadAsync(group, 2);
        await SendAsync(ada, group, "afterwards");

        Assert.That((state.GetProperty("lastReadSeq").GetInt64(), state.GetProperty("unreadCount").GetInt64()), Is.EqualTo((2, 0)));
        Assert.That((await bobsTablet.NextAsync("unread:changed")).GetProperty("data").GetProperty("lastSeq").GetInt64(), Is.InRange(2, 3));
        var heard = await adasPhone.UntilAsync(e => e.GetProperty("seq") is { ValueKind: JsonValueKind.Number } seq && seq.GetInt64() == 3);
        var read = heard.Single(e => e.GetProperty("type").GetString() == "message:read");
        Assert.That(read.GetProperty("data").GetProperty("userId").GetString(), Is.EqualTo(bob));
        Assert.That(heard.Select(e => e.GetProperty("type").GetString()), Has.None.EqualTo("unread:changed"));
    }

    [Test]
    public async Task Without_a_seq_everything_is_read()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group);
        await SendAsync(ada, group);
        await using var phone = await ConnectAsync(bob);

        Assert.That((await phone.MarkReadAsync(group, null)).GetProperty("lastReadSeq").GetInt64(), Is.EqualTo(3));
    }

    [Test]
    public async Task Refusals_carry_the_code_and_detail_of_the_problem()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var adasPhone = await ConnectAsync(ada);
        await using var evesPhone = await ConnectAsync(eve);
        await adasPhone.SendMessageAsync(group, new { text = "one", clientMessageId = "1" });

        Assert.That(
            await RefusalAsync(evesPhone.SendMessageAsync(group, new { text = "hi" })), Does.Contain("HubException: not-found: Not found"));
        Assert.That(await RefusalAsync(adasPhone.SendMessageAsync(7, new { text = "hi" })), Does.Contain("HubException: not-found: "));
        Assert.That(
            await RefusalAsync(adasPhone.SendMessageAsync(group, new { text = "" })), Does.Contain("HubException: invalid-request: "));
        Assert.That(
            await RefusalAsync(adasPhone.SendMessageAsync(group, new { test = "hi" })), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(adasPhone.SendMessageAsync(group, null)), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(adasPhone.SendMessageAsync(group, "hi")), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(adasPhone.MarkReadAsync(group, "two")), Does.Contain("HubException: invalid-request: "));
        Assert.That(await RefusalAsync(adasPhone.MarkReadAsync(group, -1)), Does.Contain("HubException: invalid-request: "));
        Assert.That(
            await RefusalAsync(adasPhone.SendMessageAsync(group, new { text = "two", clientMessageId = "1" })),
            Does.Contain("HubException: idempotency-key-reused: "));
    }

    [Test]
    public async Task A_message_of_the_greatest_length_fits_however_it_is_escaped()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await Api.Database.DrainedAsync();
        await using var phone = await ConnectAsync(ada);
        var text = string.Concat(Enumerable.Repeat("\U0001F600", 10_000));

        await phone.SendMessageAsync(group, new { text, metadata = new { note = new string('\u00e9', 8_000) } });

        Assert.That(Text(await phone.NextAsync("message:new")), Is.EqualTo(text));
    }

    [Test]
    public async Task Who_was_removed_hears_nothing_more()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob), await GroupAsync(ada, bob));
        await using var phone = await ConnectAsync(bob, await CursorAsync(bob));

        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/participants/{bob}")).EnsureSuccessStatusCode();
        await SendAsync(ada, group, "not for bob");
        await SendAsync(ada, other, "for bob");

        var heard = await phone.UntilAsync(envelope => envelope.GetProperty("type").GetString() == "message:new");
        Assert.That(
            heard.Select(envelope => envelope.GetProperty("type").GetString()), Is.EqualTo(new[] { "participant:removed", "message:new" }));
        Assert.That(Text(heard[^1]), Is.EqualTo("for bob"));
    }

    [Test]
    public async Task The_others_hear_that_a_message_was_delivered()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group, "hello");
        await using var adasPhone = await ConnectAsync(ada);
        await using var bobsPhone = await ConnectAsync(bob);

        var state = await bobsPhone.AckDeliveredAsync(group, null);

        Assert.That((state.GetProperty("lastDeliveredSeq").GetInt64(), state.GetProperty("unreadCount").GetInt64()), Is.EqualTo((2, 1)));
        Assert.That(
            (await adasPhone.NextAsync("message:delivered")).GetProperty("data").GetProperty("userId").GetString(), Is.EqualTo(bob));
    }

    [Test]
    public async Task Somebody_added_hears_the_next_message()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var phone = await ConnectAsync(eve);

        await PostAsync(ada, $"/v1/conversations/{group}/participants", new { userIds = new[] { eve } });
        await SendAsync(ada, group, "welcome");

        Assert.That((await phone.NextAsync("conversation:created")).GetProperty("data").GetProperty("id").GetString(), Is.EqualTo(group));
        Assert.That((await phone.NextAsync("message:new")).GetProperty("data").GetProperty("metadata").GetProperty("event").GetString(),
            Is.EqualTo("user-joined"));
        Assert.That(Text(await phone.NextAsync("message:new")), Is.EqualTo("welcome"));
    }

    [Test]
    public async Task A_connection_ends_with_its_token_and_may_come_back()
    {
        var user = await UserAsync();
        await using var phone = await HubClient.ConnectAsync(Api.Address, ApiHost.Token(user, TimeSpan.FromSeconds(2)));

        Assert.That(await phone.Closed, Is.Null);
        Assert.That(phone.Connection.State, Is.EqualTo(HubConnectionState.Disconnected));
    }

    [TestCase(null, null, HttpStatusCode.Unauthorized)]
    [TestCase("not.a.token", null, HttpStatusCode.Unauthorized)]
    [TestCase("", "https://elsewhere.test", HttpStatusCode.Forbidden)]
    public async Task An_upgrade_is_refused(string? token, string? origin, HttpStatusCode status)
    {
        using var socket = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin);
        var good = ApiHost.Token(await UserAsync());

        Assert.That(
            () => socket.ConnectAsync(HubClient.Address(Api.Address, token is "" ? good : token ?? ""), CancellationToken.None),
            Throws.InstanceOf<WebSocketException>());
        Assert.That(socket.HttpStatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task A_service_key_connects_as_a_user_only()
    {
        var user = await UserAsync();

        Assert.That(
            (await Api.ServiceClient().PostAsync("/hubs/messaging/negotiate?negotiateVersion=1", null)).StatusCode,
            Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(
            (await Api.ServiceClient(actAs: user).PostAsync("/hubs/messaging/negotiate?negotiateVersion=1", null)).StatusCode,
            Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task No_token_and_no_text_is_logged()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var token = ApiHost.Token(ada);
        await using var phone = await HubClient.ConnectAsync(Api.Address, token);
        await phone.SendMessageAsync(group, new { text = "a-secret-text" });
        await RefusalAsync(phone.SendMessageAsync(group, new { text = "", note = "a-secret-text" }));

        Assert.That(Api.Logs.Lines, Is.Not.Empty.And.None.Contains("a-secret-text").And.None.Contains(token));
    }

    private static async Task<string> RefusalAsync(Task call) => (await Assert.ThrowsAsync<HubException>(() => call))!.Message;
}
