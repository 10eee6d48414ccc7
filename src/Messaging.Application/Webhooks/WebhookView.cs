using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>An address of another service that is told of events.</summary>
public record WebhookView
{
    public required Guid Id { get; init; }

    public required string Url { get; init; }

    public required string? Description { get; init; }

    /// <summary>
    /// Types of events such as <c>message:new</c>, all of one kind as <c>message:*</c>, or all as <c>*</c>; empty for the events of
    /// conversations, messages and participants.
    /// </summary>
    public required IReadOnlyList<string> EventTypes { get; init; }

    /// <summary>Only events of conversations that are about something of this type; null for all.</summary>
    public required string? ContextType { get; init; }

    /// <summary>Only events that one of these users is told of; empty for everyone's.</summary>
    public required IReadOnlyList<UserId> UserIds { get; init; }

    /// <summary>Whether it is called.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Why the service has stopped calling it; null where somebody else has, and while it is called.</summary>
    public required string? DisabledReason { get; init; }

    /// <summary>Since when every call has failed; null where the last one succeeded.</summary>
    public required Instant? FailingSince { get; init; }

    public required Instant CreatedAt { get; init; }

    /// <summary>Told in the header alone.</summary>
    [JsonIgnore]
    public long Version { get; init; }
}

/// <summary>A webhook, and what of its log is of concern.</summary>
public sealed record WebhookStatus : WebhookView
{
    /// <summary>How far deliveries are counted.</summary>
    public const int MostCounted = 1_000;

    public WebhookStatus()
    {
    }

    [SetsRequiredMembers]
    internal WebhookStatus(WebhookView webhook, int pending, int parked)
        : base(webhook) => (PendingCount, ParkedCount) = (pending, parked);

    /// <summary>Deliveries that wait; 1,000 stands for that many or more.</summary>
    public required int PendingCount { get; init; }

    /// <summary>Deliveries of the last 7 days that failed for the last time; 1,000 stands for that many or more.</summary>
    public required int ParkedCount { get; init; }
}

/// <summary>A webhook with its secret, which only the answers to its creation and to a change of the secret show.</summary>
public sealed record WebhookWithSecret : WebhookView
{
    public WebhookWithSecret()
    {
    }

    [SetsRequiredMembers]
    internal WebhookWithSecret(WebhookView webhook, string secret)
        : base(webhook) => Secret = secret;

    /// <summary>What calls are signed with: <c>whsec_</c> and base64.</summary>
    public required string Secret { get; init; }
}
