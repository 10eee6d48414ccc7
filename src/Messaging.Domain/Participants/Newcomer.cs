using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Domain.Participants;

/// <summary>How somebody stands who is to be let into a group.</summary>
/// <param name="IsKnown">Whether there is such a user.</param>
/// <param name="IsBanned">Whether that one is kept out of the group.</param>
/// <param name="Lockout">Set where that one has left it by choice.</param>
/// <param name="WasInBefore">Whether that one finds settings of one's own as they were.</param>
/// <param name="ClearedSeq">Messages up to this seq were not that one's to see before.</param>
public sealed record Newcomer(
    UserId UserId, bool IsKnown, bool TakesPart, bool IsBanned, Lockout? Lockout, bool WasInBefore, long ClearedSeq)
{
    /// <summary>The seq up to which messages are not that one's to see from now on: what was cleared stays so.</summary>
    public long ClearedIn(Conversation conversation) => Math.Max(ClearedSeq, conversation.HidesUpTo);

    /// <summary>Refuses all of them where one may not come in; who left lately may be brought back by the service.</summary>
    /// <param name="placeOf">Their places in the request.</param>
    public static void EnsureWelcome(IReadOnlyCollection<Newcomer> named, Actor by, Instant now, Func<UserId, string> placeOf)
    {
        var unknown = named.Where(one => !one.IsKnown)
            .Select(one => ParticipantErrors.Unknown(placeOf(one.UserId), one.UserId).Problem).ToList();
        if (unknown.Count > 0)
            throw new RuleException(unknown);
        if (named.FirstOrDefault(one => one.IsBanned) is { } banned)
            throw ParticipantErrors.Banned(placeOf(banned.UserId), banned.UserId);
        if (!by.IsService && named.FirstOrDefault(one => !one.TakesPart && one.Lockout?.HoldsAt(now) == true) is { } gone)
            throw ParticipantErrors.LeftLately(placeOf(gone.UserId), gone.UserId);
    }
}
