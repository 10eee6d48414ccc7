using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Users;

/// <summary>One's own profile, with the limits in force.</summary>
public sealed class Me(UserProfile profile, Limits limits)
{
    public UserId UserId => profile.UserId;

    public string? DisplayName => profile.DisplayName;

    public string? FirstName => profile.FirstName;

    public string? LastName => profile.LastName;

    public string? Username => profile.Username;

    public string? AvatarUrl => profile.AvatarUrl;

    public JsonText? Metadata => profile.Metadata;

    public Instant CreatedAt => profile.CreatedAt;

    public Instant UpdatedAt => profile.UpdatedAt;

    public Limits Limits => limits;
}
