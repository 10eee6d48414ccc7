using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>
/// Who has left a group by choice is left alone until then: no user brings that one back, nor, contacts aside, does anybody of that group
/// bring that one into another.
/// </summary>
public readonly record struct Lockout(Instant Until)
{
    public static Lockout Since(Instant left) => new(left + Duration.FromHours(24));

    public bool HoldsAt(Instant now) => Until > now;
}
