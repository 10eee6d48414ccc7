using System.Text.Json;
using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Whether a delivery waits for a try, was taken by the receiver, or has been given up until somebody asks for it again.</summary>
public enum WebhookDeliveryState
{
    Pending,
    Delivered,
    Parked,
}

/// <summary>One try of a delivery.</summary>
/// <param name="Status">Of the answer; null when there was none.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
public sealed record DeliveryAttempt(Instant At, int? Status, string? Error, long DurationMs);

/// <summary>An event on its way to a webhook.</summary>
public sealed record DeliveryView
{
    public required Guid Id { get; init; }

    public required Guid WebhookId { get; init; }

    /// <summary>The header <c>webhook-id</c> of every try, and the event's <c>id</c>.</summary>
    public required string EventId { get; init; }

    /// <summary>The event's type.</summary>
    public required string Type { get; init; }

    public required WebhookDeliveryState State { get; init; }

    /// <summary>The last 20, oldest first.</summary>
    public required IReadOnlyList<DeliveryAttempt> Attempts { get; init; }

    /// <summary>
    /// When it is tried next, or later: it waits for earlier ones of its conversation, and while the webhook is left alone. Null once it is
    /// over.
    /// </summary>
    public required Instant? NextAttemptAt { get; init; }

    public required Instant CreatedAt { get; init; }
}

/// <summary>A delivery's row.</summary>
public sealed record StoredDelivery
{
    /// <summary>The columns, of a table <c>d</c>.</summary>
    public const string Columns =
        "d.id, d.webhook_id, d.lane, d.event_id, d.type, d.state, d.attempts, d.next_at, d.created_at, d.position";

    public Guid Id { get; init; }

    public Guid WebhookId { get; init; }

    public Guid Lane { get; init; }

    public string EventId { get; init; } = "";

    public string Type { get; init; } = "";

    public string State { get; init; } = "";

    public JsonText Attempts { get; init; }

    public Instant? NextAt { get; init; }

    public Instant CreatedAt { get; init; }

    public long Position { get; init; }

    public DeliveryView ToView() => new()
    {
        Id = Id,
        WebhookId = WebhookId,
        EventId = EventId,
        Type = Type,
        State = Enum.Parse<WebhookDeliveryState>(State, ignoreCase: true),
        Attempts = JsonSerializer.Deserialize<IReadOnlyList<DeliveryAttempt>>(Attempts.Value, MessagingJson.Options)!,
        NextAttemptAt = NextAt,
        CreatedAt = CreatedAt,
    };
}
