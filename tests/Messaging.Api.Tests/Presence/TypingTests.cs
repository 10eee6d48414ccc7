using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Infrastructure.Presence;
using Messaging.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Presence;

[NonParallelizable]
public sealed class TypingTests : PresenceFixture
{
    [Test]
    public async Task The_others_hear_it_on_every_node_and_the_one_who_types_does_not()
    {
        var (ada, bob, carl) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob, carl);
        await using var adasPhone = await ConnectAsync(ada);
        await using var bobsPhone = await ConnectAsync(bob);
        await using var carlsPhone = await ConnectToOtherAsync(carl);

        await adasPhone.TypingAsync(group, true);
        var heard = await bobsPhone.NextAsync("typing");
        await carlsPhone.NextAsync("typing");
        await bobsPhone.TypingAsync(group, true);

        Assert.That((UserOf(heard), Active(heard)), Is.EqualTo((ada, true)));
        Assert.That(heard.GetProperty("conversationId").GetString(), Is.EqualTo(group));
        Assert.That(heard.GetProperty("id").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(UserOf(await adasPhone.NextAsync("typing")), Is.EqualTo(bob));
    }

    [Test]
    public async Task Typing_ends_by_itself_after_five_seconds_on_every_node()
    {
        var (ada, bob, carl) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob, carl);
        await using var bobsPhone = await ConnectAsync(bob);
        await using var carlsPhone = await ConnectToOtherAsync(carl);
        await TypeAsync(ada, group, true);
        await bobsPhone.NextAsync("typing");
        await carlsPhone.NextAsync("typing");

        Time.Advance(LiveTyping.Lifetime);

        Assert.That(Active(await bobsPhone.NextAsync("typing")), Is.False);
        Assert.That(Active(await carlsPhone.NextAsync("typing")), Is.False);
        Assert.That(Api.Services.GetRequiredService<LiveTyping>().Count, Is.Zero);
    }

    [Test]
    public async Task Refreshing_holds_it_and_tells_the_others_now_and_then_only()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob), await GroupAsync(ada, bob));
        await using var bobsPhone = await ConnectAsync(bob);

        for (var second = 0; second < 8; second++)
        {
            await TypeAsync(ada, group, true);
            Time.Advance(TimeSpan.FromSeconds(1));
        }
        await TypeAsync(ada, group, false);
        await TypeAsync(ada, group, false);
        await TypeAsync(ada, other, true);

        Assert.That(await HeardOfUntilAsync(bobsPhone, group, other), Is.EqualTo((bool[])[true, true, true, true, false]));
    }

    [Test]
    public async Task On_and_off_twenty_times_in_a_second_is_heard_once_on_every_node()
    {
        var (ada, bob, carl) = (await UserAsync(), await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob, carl), await GroupAsync(ada, bob, carl));
        await using var bobsPhone = await ConnectAsync(bob);
        await using var carlsPhone = await ConnectToOtherAsync(carl);

        for (var time = 0; time < 20; time++)
        {
            await TypeAsync(ada, group, true);
            await TypeAsync(ada, group, false);
            Time.Advance(TimeSpan.FromMilliseconds(50));
        }
        Time.Advance(LiveTyping.TellEvery);
        Api.Services.GetRequiredService<LiveTyping>().Sweep();
        await TypeAsync(ada, other, true);

        Assert.That(await HeardOfUntilAsync(bobsPhone, group, other), Is.EqualTo((bool[])[true, false]));
        Assert.That(await HeardOfUntilAsync(carlsPhone, group, other), Is.EqualTo((bool[])[true, false]));
    }

    [Test]
    public async Task Who_stops_and_soon_goes_on_is_heard_on_every_node_once_two_seconds_are_over()
    {
        var (ada, bob, carl) = (await UserAsync(), await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob, carl), await GroupAsync(ada, bob, carl));
        await using var bobsPhone = await ConnectAsync(bob);
        await using var carlsPhone = await ConnectToOtherAsync(carl);

        foreach (var active in (bool[])[true, false, true])
            await TypeAsync(ada, group, active);
        Assert.That(await ListAsync(Api.ClientFor(bob), group), Is.EqualTo((string[])[ada]));
        await TypeAsync(ada, other, true);
        Assert.That(await HeardOfUntilAsync(bobsPhone, group, other), Is.EqualTo((bool[])[true, false]));
        Assert.That(await HeardOfUntilAsync(carlsPhone, group, other), Is.EqualTo((bool[])[true, false]));
        Time.Advance(LiveTyping.TellEvery);

        Assert.That(await NextOfAsync(bobsPhone, group), Is.True);
        Assert.That(await NextOfAsync(carlsPhone, group), Is.True);
        Time.Advance(LiveTyping.Lifetime);
        Assert.That(await NextOfAsync(bobsPhone, group), Is.False);
        Assert.That(await NextOfAsync(carlsPhone, group), Is.False);
        Assert.That(Api.Services.GetRequiredService<LiveTyping>().Count, Is.Zero);
    }

    [Test]
    public async Task Who_is_typing_can_be_asked_on_every_node()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await TypeAsync(ada, group, true);

        await EventuallyAsync(async () => (await ListAsync(Other.ClientFor(bob), group)).Length == 1);
        Assert.That(await ListAsync(Api.ClientFor(bob), group), Is.EqualTo((string[])[ada]));
        Assert.That(await ListAsync(Api.ClientFor(ada), group), Is.Empty);
        Assert.That(await ListAsync(Api.ServiceClient(), group), Is.EqualTo((string[])[ada]));
        Time.Advance(LiveTyping.Lifetime);
        Assert.That(await ListAsync(Api.ClientFor(bob), group), Is.Empty);
    }

    [Test]
    public async Task A_stranger_neither_types_nor_sees_who_does()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await TypeAsync(ada, group, true);
        await using var evesPhone = await ConnectAsync(eve);

        foreach (var id in (string[])[group, Guid.CreateVersion7().ToString(), "nonsense"])
        {
            Assert.That(await Api.ClientFor(eve).PostAsJsonAsync($"/v1/conversations/{id}/typing", new { active = true }).OutcomeAsync(),
                Is.EqualTo("404 not-found"));
            Assert.That(await Api.ClientFor(eve).GetAsync($"/v1/conversations/{id}/typing").OutcomeAsync(), Is.EqualTo("404 not-found"));
            Assert.That(
                (await Assert.ThrowsAsync<HubException>(() => evesPhone.TypingAsync(id, true)))!.Message, Does.Contain("not-found: "));
        }
    }

    [Test]
    public async Task Who_has_just_come_in_types_at_once()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await TypeAsync(ada, group, true);
        await using var bobsPhone = await ConnectAsync(bob);

        await PostAsync(ada, $"/v1/conversations/{group}/participants", new { userIds = new[] { eve } });
        await TypeAsync(eve, group, true);

        await bobsPhone.UntilAsync(e => e.GetProperty("type").GetString() == "typing" && UserOf(e) == eve);
    }

    [Test]
    public async Task Who_was_removed_neither_hears_nor_types_as_soon_as_the_feed_tells_of_it()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob, eve), await GroupAsync(ada, bob));
        await using var bobsPhone = await ConnectAsync(bob);
        await using var evesPhone = await ConnectAsync(eve);
        await TypeAsync(ada, group, true);
        await bobsPhone.NextAsync("typing");

        await ExecuteAsync(
            $"""
            UPDATE participants SET left_at = now() WHERE conversation_id = '{group}' AND user_id = '{bob}';
            INSERT INTO outbox (occurred_at, conversation_id, event_no, type, payload)
            SELECT now(), '{group}', event_no + 1, 'participant:removed', jsonb_build_object('userId', '{bob}') FROM conversations
            WHERE id = '{group}'
            """);
        await EventuallyAsync(
            async () => await Api.ClientFor(bob).GetAsync($"/v1/conversations/{group}/typing").OutcomeAsync() == "404 not-found");
        Time.Advance(LiveTyping.Lifetime);
        await evesPhone.UntilAsync(e => e.GetProperty("type").GetString() == "typing" && !Active(e));
        await TypeAsync(ada, other, true);

        Assert.That((await bobsPhone.NextAsync("typing")).GetProperty("conversationId").GetString(), Is.EqualTo(other));
    }

    [Test]
    public async Task In_a_group_two_of_whom_one_has_blocked_the_other_do_not_hear_each_other()
    {
        var (ada, bob, eve) = (await UserAsync(), await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob, eve), await GroupAsync(ada, bob, eve));
        await using var adasPhone = await ConnectAsync(ada);
        await using var bobsPhone = await ConnectToOtherAsync(bob);
        await using var evesPhone = await ConnectAsync(eve);
        (await Api.ClientFor(ada).PutAsync($"/v1/blocks/{bob}", content: null)).EnsureSuccessStatusCode();

        await TypeAsync(ada, other, true);
        await TypeAsync(bob, other, true);
        await TypeAsync(eve, group, true);

        Assert.That(UserOf(await adasPhone.NextAsync("typing")), Is.EqualTo(eve));
        Assert.That(UserOf(await bobsPhone.NextAsync("typing")), Is.EqualTo(eve));
        Assert.That((string[])[UserOf(await evesPhone.NextAsync("typing")), UserOf(await evesPhone.NextAsync("typing"))],
            Is.EquivalentTo((string[])[ada, bob]));
        Assert.That(await ListAsync(Api.ClientFor(ada), other), Is.Empty);
    }

    [Test]
    public async Task A_block_is_felt_in_a_direct_conversation_as_soon_as_the_feed_tells_of_it()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var direct = (await PostAsync(ada, "/v1/conversations/direct", new { userId = bob, message = new { text = "hi" } }))
            .GetProperty("id").GetString()!;
        await TypeAsync(ada, direct, true);

        (await Api.ClientFor(bob).PutAsync($"/v1/blocks/{ada}", content: null)).EnsureSuccessStatusCode();

        await EventuallyAsync(async () =>
            await Api.ClientFor(ada).PostAsJsonAsync($"/v1/conversations/{direct}/typing", new { active = true })
                .OutcomeAsync() == "403 blocked");
    }

    [TestCase("closed_at = now(), closed_reason = 'manual'", "409 conversation-closed")]
    [TestCase("archived_at = now()", "409 conversation-archived")]
    [TestCase("blocked = true", "403 blocked")]
    public async Task Where_nothing_can_be_sent_nobody_types(string change, string outcome)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await ExecuteAsync($"UPDATE conversations SET {change} WHERE id = '{group}'");

        Assert.That(await Api.ClientFor(ada).PostAsJsonAsync($"/v1/conversations/{group}/typing", new { active = true }).OutcomeAsync(),
            Is.EqualTo(outcome));
        Assert.That(await ListAsync(Api.ClientFor(bob), group), Is.Empty);
    }

    [Test]
    public async Task Who_may_not_post_does_not_type()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await ExecuteAsync($$"""UPDATE conversations SET policy = '{"posting":"admins"}' WHERE id = '{{group}}'""");

        Assert.That(await Api.ClientFor(bob).PostAsJsonAsync($"/v1/conversations/{group}/typing", new { active = true }).OutcomeAsync(),
            Is.EqualTo("403 not-allowed"));
        await TypeAsync(ada, group, true);
        Assert.That(await ListAsync(Api.ClientFor(bob), group), Is.EqualTo((string[])[ada]));
    }

    [Test]
    public async Task Who_may_post_no_more_is_shown_no_more()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await TypeAsync(bob, group, true);

        using var changed = await Api.ClientFor(ada)
            .PatchAsJsonAsync($"/v1/conversations/{group}", new { policy = new { posting = "admins" } });
        changed.EnsureSuccessStatusCode();

        await EventuallyAsync(async () => (await ListAsync(Api.ClientFor(ada), group)).Length == 0);
    }

    [Test]
    public async Task Who_waits_for_slow_mode_to_pass_types()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await ExecuteAsync($$"""UPDATE conversations SET policy = '{"slowModeSeconds":600}' WHERE id = '{{group}}'""");
        await SendAsync(bob, group);

        await TypeAsync(bob, group, true);

        Assert.That(await ListAsync(Api.ClientFor(ada), group), Is.EqualTo((string[])[bob]));
    }

    [Test]
    public async Task Who_waits_for_an_answer_does_not_type()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var direct = (await PostAsync(ada, "/v1/conversations/direct", new { userId = bob, message = new { text = "hi" } }))
            .GetProperty("id").GetString()!;
        await ExecuteAsync($"UPDATE conversations SET request = 'pending' WHERE id = '{direct}'");

        Assert.That(await Api.ClientFor(ada).PostAsJsonAsync($"/v1/conversations/{direct}/typing", new { active = true }).OutcomeAsync(),
            Is.EqualTo("409 request-pending"));
    }

    [TestCase("UPDATE participants SET pending = true WHERE conversation_id = '{0}' AND user_id = '{1}'")]
    [TestCase("UPDATE conversations SET request = 'unsent' WHERE id = '{0}'")]
    public async Task Nobody_hears_before_they_have_accepted_the_conversation(string change)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob), await GroupAsync(ada, bob));
        await ExecuteAsync(string.Format(CultureInfo.InvariantCulture, change, group, bob));
        await using var bobsPhone = await ConnectAsync(bob);

        await TypeAsync(ada, group, true);
        await TypeAsync(ada, other, true);

        Assert.That((await bobsPhone.NextAsync("typing")).GetProperty("conversationId").GetString(), Is.EqualTo(other));
    }

    [Test]
    public async Task Who_has_not_accepted_a_conversation_does_not_type_there()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await ExecuteAsync($"UPDATE participants SET pending = true WHERE conversation_id = '{group}' AND user_id = '{bob}'");

        Assert.That(await Api.ClientFor(bob).PostAsJsonAsync($"/v1/conversations/{group}/typing", new { active = true }).OutcomeAsync(),
            Is.EqualTo("409 request-pending"));
    }

    [TestCase("{}")]
    [TestCase("""{"active":null}""")]
    [TestCase("""{"active":"yes"}""")]
    [TestCase("""{"active":true,"more":1}""")]
    public async Task A_body_of_another_shape_is_refused(string body)
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        Assert.That(await Api.ClientFor(ada).PostAsync($"/v1/conversations/{group}/typing", content).OutcomeAsync(),
            Is.EqualTo("400 invalid-request"));
    }

    [Test]
    public async Task The_service_does_not_type()
    {
        var group = await GroupAsync(await UserAsync(), await UserAsync());

        Assert.That(
            await Api.ServiceClient().PostAsJsonAsync($"/v1/conversations/{group}/typing", new { active = true }).OutcomeAsync(),
            Is.EqualTo("400 invalid-request"));
    }

    [Test]
    public async Task Going_on_asks_the_database_once_in_ten_seconds()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await Api.Database.DrainedAsync();
        await using var adasPhone = await ConnectAsync(ada);
        await adasPhone.TypingAsync(group, true);

        await ExecuteAsync($"UPDATE conversations SET closed_at = now(), closed_reason = 'manual' WHERE id = '{group}'");
        await adasPhone.TypingAsync(group, true);
        Time.Advance(MemberCache.Lifetime);

        Assert.That((await Assert.ThrowsAsync<HubException>(() => adasPhone.TypingAsync(group, true)))!.Message,
            Does.Contain("conversation-closed: "));
    }

    private static bool Active(JsonElement envelope) => envelope.GetProperty("data").GetProperty("active").GetBoolean();

    /// <summary>What was told of the conversation before the first word of another: what typing tells comes in its order.</summary>
    private static async Task<bool[]> HeardOfUntilAsync(HubClient phone, string conversation, string other)
    {
        var heard = new List<bool>();
        while (await phone.NextAsync("typing") is var told && told.GetProperty("conversationId").GetString() != other)
        {
            Assert.That(told.GetProperty("conversationId").GetString(), Is.EqualTo(conversation));
            heard.Add(Active(told));
        }
        return [.. heard];
    }

    private static async Task<bool> NextOfAsync(HubClient phone, string conversation) => Active((await phone.UntilAsync(e =>
        e.GetProperty("type").GetString() == "typing" && e.GetProperty("conversationId").GetString() == conversation))[^1]);

    private static async Task<string[]> ListAsync(HttpClient client, string conversation) =>
        [.. (await client.GetFromJsonAsync<JsonElement>($"/v1/conversations/{conversation}/typing")).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("userId").GetString()!)];

    private async Task TypeAsync(string user, string conversation, bool active) => Assert.That(
        (await Api.ClientFor(user).PostAsJsonAsync($"/v1/conversations/{conversation}/typing", new { active })).StatusCode,
        Is.EqualTo(HttpStatusCode.NoContent));
}
