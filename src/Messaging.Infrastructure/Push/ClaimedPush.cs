using Messaging.Application.Push;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>How a push stands in its row.</summary>
public static class PushStates
{
    public const string Pending = "pending";
    public const string Sent = "sent";
    public const string Failed = "failed";
    public const string Bounced = "bounced";
    public const string Withdrawn = "withdrawn";
}

/// <summary>Which push.</summary>
public sealed record PushKey(Guid NotificationId, string Provider, string DeviceId);

/// <summary>A push that this node is to send.</summary>
/// <param name="Attempts">This one included.</param>
/// <param name="Message">Null where there is nothing to send any more.</param>
public sealed record ClaimedPush(PushKey Key, Guid Claim, int Attempts, Instant ExpiresAt, PushMessage? Message)
{
    /// <summary>When the claim was asked for, by this machine's counter.</summary>
    public required long AskedAt { get; init; }
}

/// <summary>What came of a push.</summary>
public sealed record SettledPush(ClaimedPush Push, string State)
{
    public required int Attempts { get; init; }

    public required Instant NextAttemptAt { get; init; }

    public string? Error { get; init; }

    public string? ProviderId { get; init; }
}

/// <summary>A push that was claimed, and when it was due before.</summary>
internal sealed record ClaimedRow(Guid NotificationId, string DeviceId, int Attempts, Instant ExpiresAt, Instant DueAt);
