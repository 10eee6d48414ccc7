using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>What came of a try, and what follows from it.</summary>
public sealed record TriedDelivery(ClaimedLane Lane, Guid Id, DeliveryAttempt Attempt)
{
    public required WebhookDeliveryState State { get; init; }

    /// <summary>Seconds until the next try, if there is one.</summary>
    public double Wait { get; init; }

    /// <summary>Seconds for which the webhook asks to be left alone with everything.</summary>
    public double Asked { get; init; }

    /// <summary>Whether it was the first try.</summary>
    public bool IsFresh { get; init; }

    /// <summary>Whether it says that it is there no more.</summary>
    public bool IsGone { get; init; }

    public string AttemptJson => JsonSerializer.Serialize(Attempt, MessagingJson.Options);
}

/// <summary>Tries a delivery once.</summary>
sealed class WebhookCaller(IWebhookSender sender, WebhookSettings settings, IClock clock, ILogger<WebhookCaller> logger)
{
    // Seconds. What a receiver asks for in Retry-After.
    private const double LongestRetryAfter = 3600;

    public async Task<TriedDelivery> TryAsync(
        ClaimedLane lane, CalledWebhook webhook, WaitingDelivery delivery, CancellationToken ct)
    {
        var at = clock.GetCurrentInstant();
        var outcome = await CallAsync(webhook, delivery, at, ct);
        var attempt = new DeliveryAttempt(at, outcome.Status, Why(outcome), (long)outcome.Took.TotalMilliseconds);
        var state = outcome.IsDelivered ? WebhookDeliveryState.Delivered
            : delivery.Tries < settings.Waits.Count ? WebhookDeliveryState.Pending : WebhookDeliveryState.Parked;
        Count(state, outcome);
        var asked = outcome.RetryAfter?.TotalSeconds ?? 0;
        return new TriedDelivery(lane, delivery.Id, attempt)
        {
            State = state,
            Wait = state is WebhookDeliveryState.Pending ? Math.Max(asked, WaitAfter(delivery.Tries)) : 0,
            Asked = outcome is { IsDelivered: false, Status: 429 or 503 } ? Math.Min(asked, LongestRetryAfter) : 0,
            IsFresh = delivery.Tries == 0,
            IsGone = outcome.Status is 410,
        };
    }

    private async Task<WebhookOutcome> CallAsync(CalledWebhook webhook, WaitingDelivery delivery, Instant at, CancellationToken ct)
    {
        try
        {
            return await sender.SendAsync(
                new WebhookCall(new Uri(webhook.Url), delivery.EventId, at, delivery.Body, webhook.Secrets), ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // A bug, or a row that somebody has changed by hand. Without the message, which may name the address or a secret.
            logger.LogError("The webhook {Id} could not be called: {Exception}\n{Stack}", webhook.Id, e.GetType().Name, e.StackTrace);
            return new WebhookOutcome(Status: null, "The call could not be made.", Duration.Zero, RetryAfter: null);
        }
    }

    // Not all at the same moment that failed at the same moment.
    private double WaitAfter(int tries) => settings.Waits[tries].TotalSeconds * (0.9 + (0.2 * Random.Shared.NextDouble()));

    private static string? Why(WebhookOutcome outcome) =>
        outcome.IsDelivered ? null : outcome.Error ?? (outcome.Status is { } status ? $"The answer was {status}." : "There was no answer.");

    private static void Count(WebhookDeliveryState state, WebhookOutcome outcome)
    {
        var name = state switch { WebhookDeliveryState.Delivered => "delivered", WebhookDeliveryState.Parked => "parked", _ => "failed" };
        WebhookMetrics.Calls.Add(1, new KeyValuePair<string, object?>("outcome", name));
        WebhookMetrics.Took.Record(outcome.Took.TotalSeconds);
    }
}
