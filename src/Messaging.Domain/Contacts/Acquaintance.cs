using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Contacts;

/// <summary>Who may write to users who are not their contacts.</summary>
public enum DirectMessages
{
    Anyone,

    /// <summary>The first message to a user who is not a contact has to be accepted.</summary>
    Requests,

    Contacts,
}

/// <summary>The relationship between a user to be added to a group and the one who adds them.</summary>
/// <param name="Talk">Whether they have an accepted direct conversation.</param>
/// <param name="Lockout">The longest remaining one, if the user left groups in which the other one is or was.</param>
public sealed record Acquaintance(UserId UserId, bool Contacts, bool Blocked, bool Talk, Lockout? Lockout)
{
    /// <summary>
    /// Refuses users across a block, users to whom the policy for direct messages allows no messages and, except contacts, users who left
    /// recently.
    /// </summary>
    /// <param name="place">Where the request names this user.</param>
    public void EnsureMayBeAdded(DirectMessages policy, Instant now, string place)
    {
        if (Blocked)
            throw ContactErrors.Blocked(place);
        if (Contacts)
            return;
        if (policy is DirectMessages.Contacts || (policy is DirectMessages.Requests && !Talk))
            throw ContactErrors.NotToAdd(place);
        if (Lockout?.HoldsAt(now) == true)
            throw ContactErrors.LeftLately(place, UserId);
    }
}
