using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Auth;

namespace Messaging.Api.Tests.Webhooks;

public sealed class ParkingTests : DeliveryFixture
{
    protected override int Tries => 3;

    [Test]
    public async Task A_delivery_is_parked_after_its_last_try_and_the_next_of_its_conversation_goes_on()
    {
        await using var receiver = Receiving(
            (call, _) => TextOf(call) == "poison" ? Answer("500 Oops") : Receiver.Ok);
        using var meter = new WebhookMeter();
        await using var watching = Receiver.Answering(Receiver.Ok);
        await WebhookAsync(watching, new { eventTypes = (string[])["webhook:parked"] });
        var place = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAllAsync(place, "first", "poison", "last");
        await DeliveredAsync(id);

        Assert.That(receiver.Calls.Select(TextOf), Is.EqualTo((string[])["first", "poison", "poison", "poison", "last"]));
        var parked = (await DeliveriesAsync(id, "&state=parked")).Single();
        Assert.That(DeliveryTests.Summary(parked), Is.EqualTo("message:new parked 500,500,500"));
        Assert.That(parked.GetProperty("nextAttemptAt").ValueKind, Is.EqualTo(JsonValueKind.Null));
        meter.Ask();
        Assert.That(meter.Said, Is.SupersetOf((string[])
        [
            "backlog.age",
            "calls delivered", "calls delivered", "calls failed", "calls failed", "calls parked",
            "duration", "duration", "duration", "duration", "duration",
        ]));
        var webhook = await GetWebhookAsync(id);
        Assert.That(
            (webhook.GetProperty("pendingCount").GetInt32(), webhook.GetProperty("parkedCount").GetInt32()), Is.EqualTo((0, 1)));
        Assert.That(Api.Logs.Lines, Has.Some.Contains($"The webhook {id} has 1 more parked deliveries"));
        await UntilAsync(() => watching.Calls.Any(IsOfIt), "services are told");

        bool IsOfIt(ReceivedCall call) => Json(call).GetProperty("data") is var data
            && (data.GetProperty("webhookId").GetString(), data.GetProperty("count").GetInt32()) == (id, 1);
    }

    [Test]
    public async Task A_parked_delivery_is_sent_again_with_its_id_and_bytes()
    {
        var works = false;
        await using var receiver = Receiving((_, _) => works ? Receiver.Ok : Answer("500 Oops"));
        var place = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAllAsync(place, "late");
        await DeliveredAsync(id);
        var parked = (await DeliveriesAsync(id, "&state=parked")).Single().GetProperty("id").GetString();
        works = true;

        using var answer = await Api.ServiceClient().PostAsync($"/v1/webhooks/deliveries/{parked}/redeliver", content: null);
        await DeliveredAsync(id);

        Assert.That(((int)answer.StatusCode, (await answer.JsonAsync()).GetProperty("state").GetString()), Is.EqualTo((202, "pending")));
        Assert.That(receiver.Calls.Select(call => $"{IdOf(call)} {Convert.ToHexString(call.Body)}").Distinct().Count(), Is.EqualTo(1));
        Assert.That(DeliveryTests.Summary((await DeliveriesAsync(id)).Single()), Is.EqualTo("message:new delivered 500,500,500,200"));
    }

    [Test]
    public async Task A_range_is_sent_again_in_its_order()
    {
        var works = false;
        await using var receiver = Receiving((_, _) => works ? Receiver.Ok : Answer("500 Oops"));
        var place = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAllAsync(place, "one", "two", "three");
        await DeliveredAsync(id);
        var log = await DeliveriesAsync(id);
        works = true;

        using var answer = await Api.ServiceClient().PostAsJsonAsync(
            $"/v1/webhooks/{id}/redeliver", new { from = log[1].GetProperty("createdAt").GetString() });
        await DeliveredAsync(id);

        var redelivered = await answer.JsonAsync();
        Assert.That(
            ((int)answer.StatusCode, redelivered.GetProperty("count").GetInt32(), redelivered.GetProperty("nextFrom").ValueKind),
            Is.EqualTo((202, 2, JsonValueKind.Null)));
        Assert.That(receiver.Calls.TakeLast(2).Select(TextOf), Is.EqualTo((string[])["two", "three"]));
        Assert.That(
            (await DeliveriesAsync(id)).Select(delivery => delivery.GetProperty("state").GetString()),
            Is.EqualTo((string[])["delivered", "delivered", "parked"]), "newest first");
    }

    [Test]
    public async Task The_log_is_read_page_by_page_newest_first()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var place = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAllAsync(place, "one", "two", "three");
        await DeliveredAsync(id);

        var listed = new List<string>();
        for (string? next = ""; next is not null;)
        {
            var page = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/webhooks/{id}/deliveries?limit=1{next}");
            listed.AddRange(page.GetProperty("items").EnumerateArray().Select(delivery => delivery.GetProperty("eventId").GetString()!));
            next = page.GetProperty("nextCursor").GetString() is { } cursor ? $"&cursor={cursor}" : null;
        }

        Assert.That(receiver.Calls.Select(TextOf), Is.EqualTo((string[])["one", "two", "three"]));
        Assert.That(listed, Is.EqualTo(receiver.Calls.Reverse().Select(IdOf)));
    }

    [TestCase("/deliveries?cursor=x", "#/cursor")]
    [TestCase("/deliveries?limit=0", "#/limit")]
    [TestCase("/deliveries?state=lost", "#/state")]
    public async Task A_page_that_is_asked_for_wrongly_is_refused(string query, string pointer)
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, _) = await WebhookAsync(receiver);

        Assert.That(await Api.ServiceClient().GetAsync($"/v1/webhooks/{id}{query}").PointersAsync(), Is.EqualTo(pointer));
    }

    [TestCase("""{"state":"pending"}""", "#/state")]
    [TestCase("""{"from":"2026-11-20T10:15:30Z","to":"2026-11-20T10:15:30Z"}""", "#/to")]
    public async Task A_range_that_is_wrong_is_refused(string body, string pointer)
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, _) = await WebhookAsync(receiver);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        Assert.That(await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/redeliver", content).PointersAsync(), Is.EqualTo(pointer));
    }

    [Test]
    public async Task Deliveries_of_a_webhook_that_was_deleted_are_not_found_and_go()
    {
        await using var receiver = Receiver.Answering(Answer("503 Busy\r\nRetry-After: 9999"));
        var (id, _) = await WebhookAsync(receiver);
        await Api.ServiceClient().PostAsync($"/v1/webhooks/{id}/test", content: null);
        await UntilAsync(async () => await CountAsync($"webhook_id = '{id}' AND tries = 1") == 1, "it waits");
        var delivery = (await DeliveriesAsync(id)).Single().GetProperty("id").GetString();

        await Api.ServiceClient().DeleteAsync($"/v1/webhooks/{id}");

        Assert.That(await Api.ServiceClient().GetAsync($"/v1/webhooks/{id}/deliveries").OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(
            await Api.ServiceClient().PostAsync($"/v1/webhooks/deliveries/{delivery}/redeliver", content: null).OutcomeAsync(),
            Is.EqualTo("404 not-found"));
        await ClearAsync();
        foreach (var table in (string[])["webhook_deliveries", "webhook_lanes", "webhook_places"])
            Assert.That(await CountAsync($"webhook_id = '{id}'", table), Is.Zero, table);
    }

    [Test]
    public async Task The_log_forgets_a_week_after_the_end_and_what_has_waited_for_a_week_only_while_disabled()
    {
        await using var receiver = Receiving((call, _) => TextOf(call) == "waits" ? Answer("503 Busy\r\nRetry-After: 9999") : Receiver.Ok);
        var place = await PlaceAsync();
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await SendAllAsync(place, "old", "young", "waits", "later");
        await UntilAsync(() => receiver.Calls.Any(call => TextOf(call) == "waits"), "all were tried");
        await UntilAsync(async () => await CountAsync($"webhook_id = '{id}' AND tries = 1") == 3, "it is written");
        await UntilAsync(async () => await CountAsync($"webhook_id = '{id}' AND tries = 0") == 1, "the last one waits behind");
        await ExecuteAsync(
            $"""
            UPDATE webhook_deliveries
            SET created_at = created_at - CASE WHEN tries = 0 THEN interval '6 days' ELSE interval '30 days' END,
                ended_at = ended_at - CASE
                    WHEN position = (SELECT min(position) FROM webhook_deliveries WHERE webhook_id = '{id}') THEN interval '8 days'
                    ELSE interval '6 days'
                END
            WHERE webhook_id = '{id}'
            """);

        await ClearAsync();

        Assert.That(await StatesAsync(), Is.EqualTo((string[])["pending", "pending", "delivered"]));
        (await Api.ServiceClient().PatchAsJsonAsync($"/v1/webhooks/{id}", new { enabled = false })).EnsureSuccessStatusCode();
        await ClearAsync();
        Assert.That(await StatesAsync(), Is.EqualTo((string[])["pending", "delivered"]));

        async Task<string[]> StatesAsync() =>
            [.. (await DeliveriesAsync(id)).Select(delivery => delivery.GetProperty("state").GetString()!)];
    }

    private Task ClearAsync() => Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions
        .GetRequiredService<Infrastructure.Events.Maintenance>(Api.Services).ClearAsync(CancellationToken.None);

    private async Task<long> CountAsync(string condition, string table = "webhook_deliveries") =>
        (await Messaging.Testing.TestDatabaseQueries.RowsAsync(
            Api.Database, $"SELECT count(*) FROM {table} WHERE {condition}", row => row.GetInt64(0))).Single();

    private async Task SendAllAsync((string User, string Group) place, params string[] texts)
    {
        foreach (var text in texts)
            await SendAsync(place.User, place.Group, text);
    }
}
