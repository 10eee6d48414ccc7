using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Contacts;

/// <summary>Whom one may write to who is not a contact.</summary>
public enum DirectMessages
{
    Anyone,

    /// <summary>The first message to somebody who is not a contact waits for that one's answer.</summary>
    Requests,

    Contacts,
}

/// <summary>How somebody who is to be brought into a group stands to the one who does.</summary>
/// <param name="Talk">Whether they have a direct conversation in which nothing waits for an answer.</param>
/// <param name="Lockout">The last to end, where this one has left groups in which the other one is or was.</param>
public sealed record Acquaintance(UserId UserId, bool Contacts, bool Blocked, bool Talk, Lockout? Lockout)
{
    /// <summary>
    /// Refuses anybody across a block, whom one may not write to under the rule for direct messages, and, contacts aside, who has left
    /// lately.
    /// </summary>
    /// <param name="place">Where in the request this one stands.</param>
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
