using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>A user to be added to a group.</summary>
/// <param name="IsKnown">Whether the user exists.</param>
/// <param name="IsBanned">Whether the user is banned from the group.</param>
/// <param name="Lockout">Set if the user has left the group by choice.</param>
/// <param name="WasInBefore">Whether the user was a participant before, and gets the previous settings back.</param>
/// <param name="ClearedSeq">Messages up to this seq were hidden from the user before.</param>
public sealed record Newcomer(
    UserId UserId, bool IsKnown, bool TakesPart, bool IsBanned, Lockout? Lockout, bool WasInBefore, long ClearedSeq)
{
    /// <summary>The seq up to which messages will be hidden from the user: what was cleared stays cleared.</summary>
    public long ClearedIn(Conversation conversation) => Math.Max(ClearedSeq, conversation.HidesUpTo);

    /// <summary>Refuses to add any of them if one may not be added. Only the service may add a user who left recently.</summary>
    /// <param name="placeOf">Where the request names a user.</param>
    public static void EnsureWelcome(IReadOnlyCollection<Newcomer> named, Actor by, Instant now, Func<UserId, string> placeOf)
    {
        var unknown = named.Where(one => !one.IsKnown)
            .Select(one => ParticipantErrors.Unknown(placeOf(one.UserId), one.UserId).Problem).ToList();
        if (unknown.Count > 0)
            throw new RuleException(unknown);
        if (named.FirstOrDefault(one => one.IsBanned) is { } banned)
            throw ParticipantErrors.Banned(placeOf(banned.UserId), banned.UserId);
        if (!by.IsService && named.FirstOrDefault(one => !one.TakesPart && one.Lockout?.HoldsAt(now) == true) is { } locked)
            throw ParticipantErrors.LeftLately(placeOf(locked.UserId), locked.UserId);
    }
}
