using System.Text.Json.Serialization;
using NodaTime;

namespace Messaging.Application.Notifications;

public enum DevicePlatform
{
    /// <summary>A browser.</summary>
    Web,
    Android,
    Ios,
}

/// <summary>What a browser's subscription encrypts pushes with, in base64url.</summary>
/// <param name="P256dh">The public key: 65 bytes.</param>
/// <param name="Auth">The secret: 16 bytes.</param>
public sealed record DeviceKeys(string P256dh, string Auth);

/// <summary>A device that takes the user's pushes.</summary>
public sealed record DeviceView
{
    public required string DeviceId { get; init; }

    public required DevicePlatform Platform { get; init; }

    public required string Token { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DeviceKeys? Keys { get; init; }

    public required Instant CreatedAt { get; init; }

    /// <summary>When it was registered last; after 270 days without, it is removed.</summary>
    public required Instant LastSeenAt { get; init; }
}

internal record DeviceRow
{
    public const string Columns = "d.device_id, d.platform, d.token, d.p256dh, d.auth, d.created_at, d.last_seen_at";

    public required string DeviceId { get; init; }

    public required DevicePlatform Platform { get; init; }

    public required string Token { get; init; }

    public string? P256dh { get; init; }

    public string? Auth { get; init; }

    public required Instant CreatedAt { get; init; }

    public required Instant LastSeenAt { get; init; }

    public DeviceView ToView() => new()
    {
        DeviceId = DeviceId,
        Platform = Platform,
        Token = Token,
        Keys = P256dh is not null && Auth is not null ? new DeviceKeys(P256dh, Auth) : null,
        CreatedAt = CreatedAt,
        LastSeenAt = LastSeenAt,
    };
}
