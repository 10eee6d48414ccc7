using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Api.Tests.Realtime;
using Messaging.Domain.Webhooks;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>A service that calls receivers on this machine, and tries again soon.</summary>
public abstract class DeliveryFixture : HubFixture
{
    /// <summary>An answer of some status.</summary>
    private protected static string Answer(string status) => $"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n";

    /// <summary>How often a delivery is tried.</summary>
    protected virtual int Tries => 40;

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
    [
        ("Messaging:Webhooks:AllowPrivateNetworks", "true"),
        .. Enumerable.Range(0, Tries - 1).Select(i => ($"Messaging:Webhooks:Schedule:{i}", (string?)"00:00:00.0500000")),
    ];

    /// <summary>A webhook of the receiver; its id and its secret.</summary>
    private protected async Task<(string Id, WebhookSecret Secret)> WebhookAsync(Receiver receiver, object? filters = null)
    {
        var body = JsonSerializer.SerializeToNode(filters ?? new { })!.AsObject();
        body["url"] = receiver.Url.OriginalString;
        var answer = await Api.ServiceClient().PostAsJsonAsync("/v1/webhooks", body);
        Assert.That((int)answer.StatusCode, Is.EqualTo(201), await answer.Content.ReadAsStringAsync());
        var created = await answer.JsonAsync();
        return (created.GetProperty("id").GetString()!, WebhookSecret.Parse(created.GetProperty("secret").GetString()!));
    }

    /// <summary>A receiver that does as it is told of each call.</summary>
    private protected static Receiver Receiving(Func<ReceivedCall, int, string> answer)
    {
        Receiver receiver = null!;
        return receiver = new Receiver(async (stream, before, ct) =>
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer(receiver.Calls.ElementAt(before), before)), ct));
    }

    /// <summary>A group of a new user's.</summary>
    protected async Task<(string User, string Group)> PlaceAsync()
    {
        var user = await UserAsync();
        return (user, await GroupAsync(user, await UserAsync()));
    }

    protected async Task<List<JsonElement>> DeliveriesAsync(string webhook, string query = "")
    {
        var page = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/webhooks/{webhook}/deliveries?limit=100{query}");
        return [.. page.GetProperty("items").EnumerateArray()];
    }

    protected async Task<JsonElement> GetWebhookAsync(string id) =>
        await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/webhooks/{id}");

    private protected static string TypeOf(ReceivedCall call) => Json(call).GetProperty("type").GetString()!;

    private protected static JsonElement Json(ReceivedCall call) => JsonElement.Parse(call.Body);

    private protected static string TextOf(ReceivedCall call) => Json(call).GetProperty("data").GetProperty("text").GetString()!;

    private protected static string IdOf(ReceivedCall call) => call.Header("webhook-id");

    private protected static bool IsSigned(ReceivedCall call, WebhookSecret secret)
    {
        var seconds = long.Parse(call.Header("webhook-timestamp"), CultureInfo.InvariantCulture);
        return secret.Sign(IdOf(call), Instant.FromUnixTimeSeconds(seconds), call.Body) == call.Header("webhook-signature");
    }

    /// <summary>What is promised holds: everything came, in order per conversation, signed, with the same bytes at every try.</summary>
    /// <param name="taken">The calls that were answered with 2xx, in their order.</param>
    private protected async Task CheckAsync(
        Receiver receiver, IEnumerable<ReceivedCall> taken, WebhookSecret secret, string[] conversations)
    {
        Assert.That(receiver.Calls.Where(call => !IsSigned(call, secret)), Is.Empty, "signatures are valid");
        Assert.That(
            receiver.Calls.GroupBy(IdOf).Where(tries => tries.Select(call => Convert.ToHexString(call.Body)).Distinct().Count() > 1),
            Is.Empty, "bytes are the same at every try");
        var first = taken.Where(call => TypeOf(call) == "message:new").DistinctBy(IdOf)
            .ToLookup(call => Json(call).GetProperty("conversationId").GetString()!, call => Json(call).GetProperty("seq").GetInt64());
        foreach (var conversation in conversations)
        {
            Assert.That(
                first[conversation], Is.EqualTo(Enumerable.Range(1, (int)await LastSeqAsync(conversation)).Select(seq => (long)seq)),
                "everything is there, in the order of the conversation");
        }
    }

    /// <summary>Returns once nothing waits for a webhook, nor for it in the feed.</summary>
    protected async Task DeliveredAsync(string webhook)
    {
        await Api.Database.DrainedAsync();
        await UntilAsync(
            async () => (await Api.Database.RowsAsync(
                $"""
                SELECT f.position >= s.last_position AND NOT EXISTS (
                    SELECT FROM webhook_deliveries d WHERE d.webhook_id = '{webhook}' AND d.state = 'pending')
                FROM feed_followers f, feed_state s
                WHERE f.name = 'webhooks'
                """,
                row => row.GetBoolean(0))).Single(),
            "all is delivered");
    }

    protected static Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.HoldsAsync(condition, what);

    protected static Task UntilAsync(Func<bool> condition, string what) => Eventually.HoldsAsync(condition, what);

    private async Task<long> LastSeqAsync(string conversation) => (await Api.Database.RowsAsync(
        $"SELECT last_seq FROM conversations WHERE id = '{conversation}'", row => row.GetInt64(0))).Single();
}
