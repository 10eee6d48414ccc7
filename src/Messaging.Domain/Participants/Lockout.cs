using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>
/// The time during which a user who left a group by choice cannot be added: not back to it by any user, nor to another group by a member of
/// the group who is not a contact.
/// </summary>
public readonly record struct Lockout(Instant Until)
{
    public static Lockout Since(Instant left) => new(left + Duration.FromHours(24));

    public bool HoldsAt(Instant now) => Until > now;
}
