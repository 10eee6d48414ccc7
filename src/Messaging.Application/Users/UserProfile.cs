using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>A user as everybody sees them.</summary>
/// <param name="Username">
/// The login name of a built-in account, as its user and the service see it, and others only where the operator has it so; else null.
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
