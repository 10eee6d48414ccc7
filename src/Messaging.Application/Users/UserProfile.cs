using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>A user as everybody sees them.</summary>
/// <param name="Username">The login name of a built-in account; null for users of the host product.</param>
/// <param name="Metadata">The host product's own JSON object.</param>
public sealed record UserProfile(
    UserId UserId,
    string? DisplayName,
    string? FirstName,
    string? LastName,
    string? Username,
    string? AvatarUrl,
    JsonText? Metadata,
    Instant CreatedAt,
    Instant UpdatedAt);
