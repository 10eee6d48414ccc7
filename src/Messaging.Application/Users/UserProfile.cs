using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>A user's public profile.</summary>
/// <param name="Username">
/// The login name of a built-in account. Visible to its user and the service, and to others only if the operator allows it; otherwise null.
/// </param>
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
    Instant UpdatedAt)
{
    /// <summary>As it is shown to the caller.</summary>
    internal UserProfile For(Actor viewer, AccountSettings accounts) =>
        viewer.IsService || viewer.UserId == UserId || accounts.ShowUsernames ? this : this with { Username = null };
}
