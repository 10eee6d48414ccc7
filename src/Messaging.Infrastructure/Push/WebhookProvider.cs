using System.Globalization;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Push;
using Messaging.Application.Webhooks;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>One signed call for each notification, to an address of the host's.</summary>
public sealed class WebhookProvider(PushSettings settings, IWebhookSender sender, IClock clock) : IPushProvider
{
    public string Name => "webhook";

    public bool IsConfigured => settings.Webhook.IsConfigured;

    public IReadOnlyCollection<string> Platforms { get; } = [];

    public async Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct)
    {
        // The same at every try of one raise, and another one at the next.
        var id = string.Create(CultureInfo.InvariantCulture, $"{push.CollapseId}-{push.RaisedAt.ToUnixTimeTicks() / 10}");
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                Id = id,
                Type = "push",
                push.ConversationId,
                Seq = (long?)null,
                OccurredAt = push.RaisedAt,
                Data = new { push.UserId, Notification = PushBody.Of(push) },
            },
            MessagingJson.Options);
        var call = new WebhookCall(new Uri(settings.Webhook.Url!), id, clock.GetCurrentInstant(), body, [settings.Webhook.Secret!]);
        var outcome = await sender.SendAsync(call, ct);
        return outcome.IsDelivered
            ? new PushOutcome(PushResult.Sent, ProviderId: id)
            : new PushOutcome(
                PushResult.Retry,
                outcome.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"http-{status}") : "unreachable",
                RetryAfter: outcome.RetryAfter);
    }
}
