using Messaging.Domain.Common;

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
/// <param name="LeftLately">Whether this one has left a group in which the other one is or was, and stays out of it.</param>
public sealed record Acquaintance(UserId UserId, bool Contacts, bool Blocked, bool Talk, bool LeftLately)
{
    /// <summary>
    /// Refuses anybody across a block, whom one may not write to under the rule for direct messages, and, contacts aside, who has left
    /// lately.
    /// </summary>
    /// <param name="place">Where in the request this one stands.</param>
    public void EnsureMayBeAdded(DirectMessages policy, string place)
    {
        if (Blocked)
            throw ContactErrors.Blocked(place);
        if (Contacts)
            return;
        if (policy is DirectMessages.Contacts || (policy is DirectMessages.Requests && !Talk))
            throw ContactErrors.NotToAdd(place);
        if (LeftLately)
            throw ContactErrors.LeftLately(place, UserId);
    }
}
