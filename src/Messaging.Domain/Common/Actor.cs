namespace Messaging.Domain.Common;

/// <summary>Who acts: a user under that user's rules, or the host's service, which may administer any conversation.</summary>
/// <param name="UserId">Null for the service.</param>
public readonly record struct Actor(UserId? UserId)
{
    public static Actor Service => default;

    public bool IsService => UserId is null;

    /// <summary>The user; refuses the service where only a user makes sense.</summary>
    public UserId RequireUser() => UserId ?? throw CommonErrors.UserNeeded();
}
