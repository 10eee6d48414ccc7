using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Domain.Webhooks;
using Messaging.Testing;

namespace Messaging.Api.Tests.Webhooks;

public sealed class DeliveryTests : DeliveryFixture
{
    [Test]
    public async Task An_event_is_delivered_as_services_read_it_signed_and_with_its_id()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (user, group) = await PlaceAsync();
        var (id, secret) = await WebhookAsync(receiver);
        var start = await Api.ServiceClient().GetFromJsonAsync<JsonElement>("/v1/sync");
        await SendAsync(user, group, "for the webhook");
        await DeliveredAsync(id);

        var read = (await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/sync?since={start.GetProperty("cursor").GetString()}"))
            .GetProperty("events").EnumerateArray().Single(IsIt);
        var call = receiver.Calls.Single(call => IsIt(Json(call)));
        Assert.That(IdOf(call), Is.EqualTo(read.GetProperty("id").GetString()));
        Assert.That(JsonElement.DeepEquals(Json(call), read), Is.True);
        Assert.That(IsSigned(call, secret), Is.True);

        bool IsIt(JsonElement e) => e.GetProperty("type").GetString() == "message:new"
            && e.GetProperty("conversationId").GetString() == group && Text(e) == "for the webhook";
    }

    [Test]
    public async Task The_order_of_each_conversation_holds_while_tries_fail()
    {
        var taken = new ConcurrentQueue<ReceivedCall>();
        await using var receiver = Receiving((call, before) =>
        {
            if (before % 3 == 1)
                return Answer("500 Oops");
            taken.Enqueue(call);
            return Receiver.Ok;
        });
        var (id, secret) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        var places = await PlacesAsync(4);

        await Task.WhenAll(places.Select(place => SendManyAsync(place, 8)));
        await DeliveredAsync(id);

        await CheckAsync(receiver, taken, secret, [.. places.Select(place => place.Group)]);
    }

    // One try of each kind for whatever comes first, then all goes well.
    [Test]
    public async Task A_hostile_receiver_gets_everything_in_order_all_the_same()
    {
        var taken = new ConcurrentQueue<ReceivedCall>();
        Receiver receiver = null!;
        await using var hostile = receiver = new Receiver(async (stream, before, ct) =>
        {
            switch (before)
            {
                case 0: await stream.WriteAsync(Encoding.Latin1.GetBytes(Answer("500 Oops")), ct); break;
                case 1: await Task.Delay(Timeout.Infinite, ct); break;
                case 2: throw new IOException("reset after the body");
                case 3: await stream.WriteAsync(Encoding.Latin1.GetBytes(Answer("302 Found\r\nLocation: http://127.0.0.1/")), ct); break;
                case 4: await stream.WriteAsync(Encoding.Latin1.GetBytes(Answer("503 Busy\r\nRetry-After: -7 or tomorrow")), ct); break;
                case 5: await EndlessAsync(stream, ct); break;
                default:
                    taken.Enqueue(receiver.Calls.ElementAt(before));
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(Receiver.Ok), ct);
                    break;
            }
        });
        var (id, secret) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        var places = await PlacesAsync(2);

        await Task.WhenAll(places.Select(place => SendManyAsync(place, 4)));
        await DeliveredAsync(id);

        await CheckAsync(receiver, taken, secret, [.. places.Select(place => place.Group)]);
        Assert.That(
            (await DeliveriesAsync(id)).SelectMany(delivery => delivery.GetProperty("attempts").EnumerateArray()).Count(),
            Is.EqualTo(receiver.Calls.Count), "each try stands in the log");
    }

    [Test]
    public async Task A_dead_webhook_holds_up_no_other_one()
    {
        await using var dead = new Receiver((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (hanging, _) = await WebhookAsync(dead);
        var (id, secret) = await WebhookAsync(receiver);
        var places = await PlacesAsync(50);

        await Task.WhenAll(places.Select(place => SendManyAsync(place, 2)));
        await DeliveredAsync(id);

        var taken = (await Api.Database.RowsAsync(
            $"SELECT count(*) FROM webhook_lanes WHERE webhook_id = '{hanging}' AND claimed_until > now()",
            row => row.GetInt64(0))).Single();
        Assert.That(dead.Calls, Is.Not.Empty);
        Assert.That(taken, Is.LessThanOrEqualTo(32), "it has its share of what is under way, and no more");
        await CheckAsync(receiver, receiver.Calls, secret, [.. places.Select(place => place.Group)]);
    }

    // As many calls at once as no node makes alone.
    [Test]
    public async Task Two_nodes_share_the_deliveries_and_double_none()
    {
        await using var second = Api.StartAnother();
        var (together, count) = (new TaskCompletionSource(), 0);
        await using var receiver = new Receiver(async (stream, _, ct) =>
        {
            if (Interlocked.Increment(ref count) == 40)
                together.SetResult();
            await together.Task.WaitAsync(ct);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Receiver.Ok), ct);
        });
        var (id, secret) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        var places = await PlacesAsync(40);

        await Task.WhenAll(places.Select(place => SendManyAsync(place, 2)));
        await DeliveredAsync(id);

        Assert.That(receiver.Calls.Select(IdOf), Is.Unique);
        await CheckAsync(receiver, receiver.Calls, secret, [.. places.Select(place => place.Group)]);
    }

    // The lane is made anew meanwhile: this node holds it again when it wakes up.
    [Test]
    public async Task A_node_that_wakes_up_after_another_took_over_says_nothing_any_more()
    {
        TaskCompletionSource woken = new(), answered = new();
        Receiver receiver = null!;
        await using var slow = receiver = new Receiver(async (stream, before, ct) =>
        {
            await (TextOf(receiver.Calls.ElementAt(before)) == "one" ? woken : answered).Task.WaitAsync(ct);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(before == 0 ? Answer("500 Oops") : Receiver.Ok), ct);
        });
        var (user, group) = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAsync(user, group, "one");
        await UntilAsync(() => receiver.Calls.Count == 1, "it is called");
        // As another node does that takes the lane once the claim has run out, and empties it.
        await ExecuteAsync(
            $"""
            UPDATE webhook_deliveries SET state = 'delivered', next_at = NULL, ended_at = now() WHERE webhook_id = '{id}';
            DELETE FROM webhook_lanes WHERE webhook_id = '{id}'
            """);
        await SendAsync(user, group, "two");
        await UntilAsync(() => receiver.Calls.Count == 2, "what comes next is called");

        woken.SetResult();

        await UntilAsync(() => Api.Logs.Lines.Any(line => line.Contains("count for nothing", StringComparison.Ordinal)), "it is told so");
        answered.SetResult();
        await DeliveredAsync(id);
        Assert.That(receiver.Calls.Select(TextOf), Is.EqualTo((string[])["one", "two"]));
    }

    [Test]
    public async Task Events_that_a_disabled_webhook_missed_follow_in_order_once_it_is_enabled_again()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, secret) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        var place = await PlaceAsync();
        await SendManyAsync(place, 3);
        await DeliveredAsync(id);
        var before = receiver.Calls.Count;
        await SetAsync(id, enabled: false);
        await SendManyAsync(place, 3);
        await DeliveredAsync(id);
        await SendManyAsync(place, 3);
        await DeliveredAsync(id);
        Assert.That(receiver.Calls, Has.Count.EqualTo(before));

        await SetAsync(id, enabled: true);

        await UntilAsync(() => receiver.Calls.Count == before + 6, "the rest follows");
        await DeliveredAsync(id);
        await CheckAsync(receiver, receiver.Calls, secret, [place.Group]);
    }

    // Each hangs in its first call, with the rest of the conversation in the node's hands.
    [Test]
    public async Task Deliveries_that_wait_go_where_their_webhook_is_now_with_its_secret_of_now_or_nowhere()
    {
        var answered = new TaskCompletionSource();
        await using var former = new Receiver(async (stream, _, ct) =>
        {
            await answered.Task.WaitAsync(ct);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Receiver.Ok), ct);
        });
        await using var present = Receiver.Answering(Receiver.Ok);
        var (deleted, disabled, moved) = (await WaitingAsync(former), await WaitingAsync(former), await WaitingAsync(former));
        await SendManyAsync(await PlaceAsync(), 4);
        await DeliveredAsync(moved);
        foreach (var id in (string[])[deleted, disabled, moved])
            await SetAsync(id, enabled: true);
        await UntilAsync(() => former.Calls.Count == 3, "each is called");

        (await Api.ServiceClient().DeleteAsync($"/v1/webhooks/{deleted}")).EnsureSuccessStatusCode();
        await SetAsync(disabled, enabled: false);
        var secret = await MoveAsync(moved, present);
        await UntilAsync(
            () => TrueAsync($"SELECT updated_at < now() - interval '1.5 s' FROM webhooks WHERE id = '{moved}'"), "a second is over");
        answered.SetResult();

        await DeliveredAsync(moved);
        await UntilAsync(
            () => TrueAsync(
                $"SELECT count(*) = 0 FROM webhook_lanes WHERE webhook_id IN ('{deleted}', '{disabled}') AND claimed_until > now()"),
            "nothing of the others is under way");
        Assert.That(former.Calls, Has.Count.EqualTo(3));
        Assert.That(present.Calls, Has.Count.EqualTo((await DeliveriesAsync(moved)).Count - 1));
        Assert.That(present.Calls.Where(call => !IsSigned(call, secret)), Is.Empty);
    }

    [Test]
    public async Task A_webhook_that_answers_410_is_disabled_at_once_and_services_are_told()
    {
        using var meter = new WebhookMeter();
        await using var receiver = Receiver.Answering(Answer("410 Gone"));
        await using var watching = Receiver.Answering(Receiver.Ok);
        await WebhookAsync(watching, new { eventTypes = (string[])["webhook:disabled"] });
        var (id, _) = await WebhookAsync(receiver);

        await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/test", content: null);

        await DisabledAsync(id, "gone", watching);
        Assert.That(meter.Said, Has.Member("disabled gone"));
        Assert.That(receiver.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_webhook_that_has_failed_for_five_days_is_disabled_and_services_are_told()
    {
        await using var receiver = Receiver.Answering(Answer("500 Oops"));
        await using var watching = Receiver.Answering(Receiver.Ok);
        await WebhookAsync(watching, new { eventTypes = (string[])["webhook:disabled"] });
        var (id, _) = await WebhookAsync(receiver);
        await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/test", content: null);
        await UntilAsync(
            async () => (await GetWebhookAsync(id)).GetProperty("failingSince").ValueKind != JsonValueKind.Null, "it is seen to fail");
        Assert.That((await GetWebhookAsync(id)).GetProperty("enabled").GetBoolean(), Is.True);

        await ExecuteAsync($"UPDATE webhook_places SET failing_since = now() - interval '5 days' WHERE webhook_id = '{id}'");

        await DisabledAsync(id, "failing", watching);
    }

    [Test]
    public async Task A_test_is_delivered_with_its_webhook_s_id()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, secret) = await WebhookAsync(receiver);

        using var answer = await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/test", content: null);
        var asked = await answer.JsonAsync();
        await DeliveredAsync(id);

        var call = receiver.Calls.Single(call => TypeOf(call) == "webhook:test");
        Assert.That(((int)answer.StatusCode, Summary(asked)), Is.EqualTo((202, "webhook:test pending ")));
        Assert.That(IdOf(call), Is.EqualTo(asked.GetProperty("eventId").GetString()));
        Assert.That(Json(call).GetProperty("data").GetProperty("webhookId").GetString(), Is.EqualTo(id));
        Assert.That(IsSigned(call, secret), Is.True);
    }

    [Test]
    public async Task A_webhook_gets_what_its_filters_say()
    {
        await using var all = Receiver.Answering(Receiver.Ok);
        await using var named = Receiver.Answering(Receiver.Ok);
        await using var own = Receiver.Answering(Receiver.Ok);
        await using var about = Receiver.Answering(Receiver.Ok);
        var (ada, eve, bob) = (await UserAsync(), await UserAsync(), await UserAsync());
        string[] ids =
        [
            (await WebhookAsync(all)).Id,
            (await WebhookAsync(named, new { eventTypes = (string[])["settings:updated"] })).Id,
            (await WebhookAsync(own, new { eventTypes = (string[])["message:new", "settings:updated"], userIds = (string[])[ada] })).Id,
            (await WebhookAsync(about, new { eventTypes = (string[])["message:new"], contextType = "order" })).Id,
        ];
        var (hers, others) = (await GroupAsync(ada, bob), await GroupAsync(eve, bob));
        var order = (await PostAsync(
            eve, "/v1/conversations", new { name = "Order", participantIds = (string[])[bob], context = new { type = "order", id = "7" } }))
            .GetProperty("id").GetString()!;
        await SendAsync(ada, hers, "hers");
        await SendAsync(eve, others, "others");
        await SendAsync(eve, order, "order");
        foreach (var (user, group) in ((string, string)[])[(ada, hers), (eve, others)])
        {
            (await Api.ClientFor(user).PatchAsJsonAsync($"/v1/conversations/{group}/settings", new { starred = true }))
                .EnsureSuccessStatusCode();
        }
        foreach (var id in ids)
            await DeliveredAsync(id);

        Assert.That(
            Told(all), Is.SupersetOf((string[])["conversation:created", "hers", "others", "order"]).And.No.Member("settings:updated"));
        Assert.That(Told(named), Is.EqualTo((string[])["settings:updated", "settings:updated"]));
        Assert.That(Told(own), Is.EquivalentTo((string[])["hers", "settings:updated"]));
        Assert.That(Told(about), Is.EqualTo((string[])["order"]));

        string[] Told(Receiver receiver) => [.. receiver.Calls
            .Where(call => TypeOf(call) != "message:new" || Json(call).GetProperty("data").GetProperty("type").GetString() != "system")
            .Where(call => IsOf(Json(call), ada, eve, hers, others, order))
            .Select(call => TypeOf(call) == "message:new" ? TextOf(call) : TypeOf(call))];
    }

    [Test]
    public async Task A_message_that_was_deleted_before_its_delivery_was_made_is_not_told()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        var (user, group) = await PlaceAsync();
        await DeliveredAsync(id);
        await SetAsync(id, enabled: false);
        await SendAsync(user, group, "before");
        await DeliveredAsync(id);
        var message = await SendAsync(user, group, "regretted");
        var path = $"/v1/conversations/{group}/messages/{message.GetProperty("id").GetString()}?scope=everyone";
        (await Api.ClientFor(user).DeleteAsync(path))
            .EnsureSuccessStatusCode();
        await SendAsync(user, group, "after");
        await DeliveredAsync(id);

        await SetAsync(id, enabled: true);

        await UntilAsync(() => receiver.Calls.Any(call => Text(Json(call)) == "after"), "what follows is told");
        Assert.That(receiver.Calls.Select(call => Encoding.UTF8.GetString(call.Body)), Has.None.Contains("regretted"));
    }

    private static bool IsOf(JsonElement envelope, params string[] any) =>
        Array.Exists(any, one => envelope.GetRawText().Contains(one, StringComparison.Ordinal));

    private async Task DisabledAsync(string id, string reason, Receiver watching)
    {
        await UntilAsync(() => watching.Calls.Any(IsOfIt), "it is told");
        var told = watching.Calls.Single(IsOfIt);
        Assert.That(Json(told).GetProperty("data").GetProperty("reason").GetString(), Is.EqualTo(reason));
        var webhook = await GetWebhookAsync(id);
        Assert.That(
            (webhook.GetProperty("enabled").GetBoolean(), webhook.GetProperty("disabledReason").GetString()), Is.EqualTo((false, reason)));
        Assert.That(Api.Logs.Lines, Has.Some.Contains($"The webhook {id} is disabled: {reason}"));

        bool IsOfIt(ReceivedCall call) => Json(call).GetProperty("data").GetProperty("webhookId").GetString() == id;
    }

    private async Task<string> WaitingAsync(Receiver receiver) =>
        (await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"], enabled = false })).Id;

    // It is another one's from now on: what it was signed with is not to be used any more.
    private async Task<WebhookSecret> MoveAsync(string id, Receiver to)
    {
        using var rotated = await Api.ServiceClient().PostAsJsonAsync($"/v1/webhooks/{id}/secret/rotate", new { keepSeconds = 0 });
        using var moved = await Api.ServiceClient().PatchAsJsonAsync($"/v1/webhooks/{id}", new { url = to.Url.OriginalString });
        moved.EnsureSuccessStatusCode();
        return WebhookSecret.Parse((await rotated.JsonAsync()).GetProperty("secret").GetString()!);
    }

    private async Task<bool> TrueAsync(string sql) => (await Api.Database.RowsAsync(sql, row => row.GetBoolean(0))).Single();

    private async Task SetAsync(string id, bool enabled) =>
        (await Api.ServiceClient().PatchAsJsonAsync($"/v1/webhooks/{id}", new { enabled })).EnsureSuccessStatusCode();

    private async Task<(string User, string Group)[]> PlacesAsync(int count)
    {
        var (user, other) = (await UserAsync(), await UserAsync());
        return await Task.WhenAll(Enumerable.Range(0, count).Select(async _ => (user, await GroupAsync(user, other))));
    }

    private async Task SendManyAsync((string User, string Group) place, int count)
    {
        for (var i = 0; i < count; i++)
            await SendAsync(place.User, place.Group, $"{i}");
    }

    // Bytes without end, as fast as they are taken.
    private static async Task EndlessAsync(Stream stream, CancellationToken ct)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes("HTTP/1.1 500 Oops\r\n\r\n"), ct);
        var bytes = new byte[8_192];
        while (true)
            await stream.WriteAsync(bytes, ct);
    }

    internal static string Summary(JsonElement delivery) => string.Join(
        ' ', delivery.GetProperty("type").GetString(), delivery.GetProperty("state").GetString(),
        string.Join(',', delivery.GetProperty("attempts").EnumerateArray().Select(attempt => attempt.GetProperty("status").ToString())));
}
