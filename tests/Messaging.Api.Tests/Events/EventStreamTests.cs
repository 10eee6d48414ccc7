using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Messaging.Api.Health;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Realtime;
using Messaging.Infrastructure.Presence;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Events;

public sealed class EventStreamTests : HubFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:EventStream:Heartbeat", "00:00:01")];

    [Test]
    public async Task An_event_has_its_id_its_type_and_its_envelope_and_nothing_on_the_way_keeps_it()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var stream = await OpenAsync(bob);
        await SendAsync(ada, group, "two\nlines");

        var (item, envelope) = await NextWithTextAsync(stream);

        Assert.That((item.EventType, item.EventId), Is.EqualTo(("message:new", envelope.GetProperty("id").GetString())));
        Assert.That(Text(envelope), Is.EqualTo("two\nlines"));
        Assert.That(Contract.Served.EventMisfit(envelope), Is.Null);
        Assert.That(stream.ReconnectsAfter, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(stream.Response.Headers.GetValues("X-Accel-Buffering"), Is.EqualTo((string[])["no"]));
        Assert.That(stream.Response.Headers.CacheControl!.NoStore, Is.True);
    }

    [Test]
    public async Task An_event_that_is_not_stored_has_no_id_and_leaves_the_last_one_standing()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var stream = await OpenAsync(bob);
        await SendAsync(ada, group, "stored");
        var told = await NextWithTextAsync(stream);
        await Api.ClientFor(ada).PostAsJsonAsync($"/v1/conversations/{group}/typing", new { active = true });

        var (_, typing) = await stream.NextAsync("typing");

        Assert.That(typing.GetProperty("id").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(stream.LastEventId, Is.EqualTo(told.Item.EventId));
    }

    [Test]
    public async Task Under_load_a_stream_that_is_cut_again_and_again_tells_everything_and_no_id_goes_back()
    {
        const int Senders = 3;
        const int Each = 60;
        var users = await Task.WhenAll(Enumerable.Range(0, Senders + 1).Select(_ => UserAsync()));
        var (reader, group) = (users[^1], await GroupAsync(users));
        var cursor = await CursorAsync(reader);

        var sending = Task.WhenAll(users[..Senders].Select(user => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await SendAsync(user, group);
        })));
        var (seqs, ids) = (new List<long>(), new List<long>());
        for (var cut = 1; seqs.Count < Senders * Each; cut++)
        {
            await using var stream = await OpenAsync(reader, cut % 2 == 0 ? cursor : null, cut % 2 == 0 ? "" : $"?since={cursor}");
            for (var i = 0; i < 10 * cut && seqs.Count < Senders * Each; i++)
            {
                var (item, envelope) = await stream.NextAsync("message:new");
                seqs.Add(envelope.GetProperty("seq").GetInt64());
                ids.Add(Position(cursor = item.EventId!));
            }
        }
        await sending;

        Assert.That(seqs, Is.EqualTo(Enumerable.Range(2, Senders * Each).Select(i => (long)i)));
        Assert.That(ids, Is.Ordered.Ascending);
    }

    [Test]
    public async Task A_service_hears_everyones_events_with_whose_they_are_live_and_resumed()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(ada);
        await using var live = await EventClient.OpenAsync(Api.ServiceClient());
        await StarAsync(bob, group);
        await SendAsync(ada, group, "for the service");
        await Api.Database.DrainedAsync();
        await using var resumed = await EventClient.OpenAsync(Api.ServiceClient(), cursor);

        foreach (var stream in (EventClient[])[live, resumed])
        {
            var (item, settings) = await NextOfAsync(stream, "settings:updated", group);
            Assert.That((settings.GetProperty("userId").GetString(), item.EventId), Is.EqualTo((bob, stream.LastEventId)));
            var (_, message) = await NextOfAsync(stream, "message:new", group);
            Assert.That((Text(message), message.TryGetProperty("userId", out _)), Is.EqualTo(("for the service", false)));
        }
    }

    [Test]
    public async Task Two_tabs_of_a_user_both_hear_and_keep_the_user_online()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var one = await OpenAsync(bob);
        var two = await OpenAsync(bob);
        await SendAsync(ada, group);

        await NextWithTextAsync(one);
        await NextWithTextAsync(two);
        await two.DisposeAsync();
        await UntilAsync(() => Connections.CountOf(bob) == 1);

        // Others would be shown an offline user as online for 5 s more.
        Assert.That(
            Api.Services.GetRequiredService<LivePresence>().Connected([bob]).Single().Value,
            Is.EqualTo(Messaging.Application.Presence.PresenceStatus.Online));
    }

    [Test]
    public async Task Who_is_removed_hears_that_and_nothing_after()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var (group, other) = (await GroupAsync(ada, bob), await GroupAsync(ada, bob));
        await using var stream = await OpenAsync(bob);
        await SendAsync(ada, group, "while you are here");
        await NextWithTextAsync(stream);

        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/participants/{bob}")).EnsureSuccessStatusCode();
        await SendAsync(ada, group, "without you");
        await SendAsync(ada, other, "with you");

        await NextOfAsync(stream, "participant:removed", group);
        var (_, next) = await NextWithTextAsync(stream);
        Assert.That(Text(next), Is.EqualTo("with you"));
    }

    [TestCase("7", "", "400 invalid-request")]
    [TestCase("", "", "400 invalid-request")]
    [TestCase(null, "?since=7", "400 invalid-request")]
    [TestCase(null, "?cursor=ffffffff-1", "400 invalid-request")]
    [TestCase("ffffffff-1", "", "410 cursor-expired")]
    [TestCase(null, "?since=ffffffff-1", "410 cursor-expired")]
    [TestCase("ffffffff-1", "?since=7", "410 cursor-expired", Description = "the newest one counts")]
    public async Task A_cursor_that_is_of_no_use_is_refused_before_anything_is_streamed(string? lastEventId, string query, string outcome)
    {
        var client = Api.ClientFor(await UserAsync());

        Assert.That(await EventClient.SendAsync(client, lastEventId, query).OutcomeAsync(), Is.EqualTo(outcome));
        using var head = await EventClient.SendAsync(client, lastEventId, query, HttpMethod.Head);
        Assert.That($"{(int)head.StatusCode}", Is.EqualTo(outcome[..3]));
    }

    [Test]
    public async Task The_head_alone_ends_and_no_other_form_is_acceptable()
    {
        var user = await UserAsync();

        using var head = await EventClient.SendAsync(Api.ClientFor(user), method: HttpMethod.Head);
        Assert.That(head.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/event-stream"));
        Assert.That(await head.Content.ReadAsByteArrayAsync(), Is.Empty);
        Assert.That(Connections.CountOf(user), Is.Zero);
        Assert.That(
            await EventClient.SendAsync(Api.ClientFor(user), accept: "application/json").OutcomeAsync(), Is.EqualTo("406 not-acceptable"));
    }

    [Test]
    public async Task A_stream_on_which_nothing_happens_is_kept_open_by_comments()
    {
        await using var stream = await OpenAsync(await UserAsync());
        using var lines = new StreamReader(await stream.Response.Content.ReadAsStreamAsync());

        for (var comments = 0; comments < 2;)
        {
            if (await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is ":")
                comments++;
        }
    }

    [Test]
    public async Task Streams_of_a_revoked_key_are_ended_and_others_go_on()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var made = await Api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes = (string[])["events"] });
        var key = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
        await using var everyones = await EventClient.OpenAsync(Api.ServiceClient(key: key));
        await using var adas = await EventClient.OpenAsync(Api.ServiceClient(ada, key));
        await using var bobs = await OpenAsync(bob);

        (await Api.ServiceClient().DeleteAsync($"/v1/admin/keys/{key.Split('_')[1]}")).EnsureSuccessStatusCode();

        await Task.WhenAll(everyones.EndAsync(), adas.EndAsync());
        await SendAsync(ada, group);
        await NextWithTextAsync(bobs);
    }

    [Test]
    public async Task A_service_that_does_not_read_is_cut_off_and_what_it_missed_is_told_when_it_resumes()
    {
        var cursor = await CursorAsync(await UserAsync());
        await using var stuck = await EventClient.OpenAsync(Api.ServiceClient());
        await ExecuteAsync(
            $"""
            INSERT INTO outbox (occurred_at, user_id, type, payload)
            SELECT now() + n * interval '1 microsecond', 'nobody', 'test:bulk', jsonb_build_object('n', n, 'text', repeat('x', 2000))
            FROM generate_series(1, {3 * LiveConnection.Capacity}) AS n
            """);
        await UntilAsync(() => !Connections.HasServices);

        await using var again = await EventClient.OpenAsync(Api.ServiceClient(), cursor);
        for (var n = 1; n <= 300; n++)
            Assert.That((await again.NextAsync("test:bulk")).Envelope.GetProperty("data").GetProperty("n").GetInt32(), Is.EqualTo(n));
    }

    [Test]
    public async Task A_node_on_its_way_down_ends_its_streams_and_lets_nobody_in()
    {
        await using var own = Api.StartAnother();
        var user = await UserAsync();
        await using var users = await EventClient.OpenAsync(own.ClientFor(user));
        await using var services = await EventClient.OpenAsync(own.ServiceClient());

        own.Services.GetRequiredService<Draining>().Begin();
        await Task.WhenAll(own.Services.GetServices<DrainStep>().Select(step => step(CancellationToken.None)));

        await Task.WhenAll(users.EndAsync(), services.EndAsync());
        Assert.That(await EventClient.SendAsync(own.ClientFor(user)).OutcomeAsync(), Is.EqualTo("503 unavailable"));
    }

    private LiveConnections Connections => Api.Services.GetRequiredService<LiveConnections>();

    private Task<EventClient> OpenAsync(string user, string? lastEventId = null, string query = "") =>
        EventClient.OpenAsync(Api.ClientFor(user), lastEventId, query);

    private async Task StarAsync(string user, string group) => (await Api.ClientFor(user)
        .PatchAsJsonAsync($"/v1/conversations/{group}/settings", new { starred = true })).EnsureSuccessStatusCode();

    private static async Task<(SseItem<string> Item, JsonElement Envelope)> NextOfAsync(
        EventClient stream, string type, string conversation)
    {
        while (true)
        {
            var next = await stream.NextAsync(type);
            if (next.Envelope.GetProperty("conversationId").GetString() == conversation
                && (type != "message:new" || next.Envelope.GetProperty("data").GetProperty("type").GetString() != "system"))
                return next;
        }
    }

    private static async Task<(SseItem<string> Item, JsonElement Envelope)> NextWithTextAsync(EventClient stream)
    {
        var next = await stream.NextAsync("message:new");
        while (next.Envelope.GetProperty("data").GetProperty("type").GetString() == "system")
            next = await stream.NextAsync("message:new");
        return next;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
