using System.Text.Json.Serialization;
using NodaTime;

namespace Messaging.Application.Push;

public enum PushState
{
    Pending,
    Sent,
    Failed,
    Bounced,

    /// <summary>Not sent: it was read, or its message deleted, before.</summary>
    Withdrawn,
}

/// <summary>A notification on its way to one device.</summary>
public sealed record PushView
{
    [JsonIgnore]
    public Guid NotificationId { get; init; }

    /// <summary>Who brings it: <c>webpush</c>, <c>fcm</c>, <c>apns</c> or <c>webhook</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>Empty for a webhook.</summary>
    public required string DeviceId { get; init; }

    public required PushState State { get; init; }

    public required int Attempts { get; init; }

    /// <summary>When it is tried next, or is given up by the node that is trying; null once it is settled.</summary>
    public required Instant? NextAttemptAt { get; init; }

    /// <summary>A code, of the last attempt.</summary>
    public required string? Error { get; init; }

    /// <summary>By which the provider knows it.</summary>
    public required string? ProviderId { get; init; }
}
