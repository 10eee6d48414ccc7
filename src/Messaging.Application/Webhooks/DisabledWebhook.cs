namespace Messaging.Application.Webhooks;

/// <summary>What services are told of a webhook that the service has stopped calling.</summary>
/// <param name="Reason"><c>gone</c> or <c>failing</c>.</param>
public sealed record DisabledWebhook(Guid WebhookId, string Reason);

/// <summary>What services are told of a webhook's deliveries that are not tried again.</summary>
/// <param name="Count">How many were parked at this moment.</param>
public sealed record ParkedDeliveries(Guid WebhookId, int Count);
