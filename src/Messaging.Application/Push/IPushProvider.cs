using NodaTime;

namespace Messaging.Application.Push;

/// <summary>A service that brings notifications to devices. Found by scanning; takes part where it is configured.</summary>
public interface IPushProvider
{
    /// <summary>How it is called in rows, metrics and what administrators see.</summary>
    string Name { get; }

    bool IsConfigured { get; }

    /// <summary>The platforms whose devices it serves; without any it takes each notification once, whatever devices there are.</summary>
    IReadOnlyCollection<string> Platforms { get; }

    /// <summary>
    /// The server that a device names, where each may name another: what fails at one is not blamed on the others. Null where the provider
    /// is one server.
    /// </summary>
    string? ServerOf(PushMessage push) => null;

    /// <summary>Tries once. Throws nothing but at cancellation.</summary>
    Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct);
}

/// <summary>A notification on its way to one device.</summary>
public sealed record PushMessage
{
    public required Guid NotificationId { get; init; }

    public required string UserId { get; init; }

    /// <summary>Null for a provider without devices.</summary>
    public PushDevice? Device { get; init; }

    /// <summary><c>message</c>, <c>mention</c> or <c>system</c>.</summary>
    public required string Type { get; init; }

    public required Guid ConversationId { get; init; }

    public required Guid MessageId { get; init; }

    public required string? SenderId { get; init; }

    public required string Title { get; init; }

    public required string Body { get; init; }

    /// <summary>How many messages it stands for.</summary>
    public required int Count { get; init; }

    /// <summary>What the user has unread over all.</summary>
    public required long Badge { get; init; }

    public bool Sound { get; init; } = true;

    /// <summary>When it was raised last.</summary>
    public required Instant RaisedAt { get; init; }

    /// <summary>From when on nobody needs it any more.</summary>
    public required Instant ExpiresAt { get; init; }

    /// <summary>The same at each raise: on the device a newer one takes the place of the older.</summary>
    public string CollapseId => NotificationId.ToString("N");
}

/// <summary>A device as it was registered.</summary>
/// <param name="Token">Of the provider's own kind; for a browser the address of its push service.</param>
/// <param name="P256dh">A browser's public key, in base64url.</param>
/// <param name="Auth">A browser's secret, in base64url.</param>
public sealed record PushDevice(string DeviceId, string Platform, string Token, string? P256dh, string? Auth)
{
    /// <summary>When it was registered last, be it with the same token.</summary>
    public Instant RegisteredAt { get; init; }
}

public enum PushResult
{
    /// <summary>The provider has taken it.</summary>
    Sent,

    /// <summary>It may succeed later.</summary>
    Retry,

    /// <summary>It never will.</summary>
    Failed,

    /// <summary>The device takes no pushes any more.</summary>
    Bounced,
}

/// <summary>What came of an attempt.</summary>
/// <param name="Error">A code, never words: a provider's answer may repeat the text.</param>
/// <param name="ProviderId">By which the provider knows the push.</param>
/// <param name="RetryAfter">How long the provider asks to be left alone.</param>
public sealed record PushOutcome(PushResult Result, string? Error = null, string? ProviderId = null, Duration? RetryAfter = null);
