using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>How somebody stands who is to be let into a group.</summary>
/// <param name="IsKnown">Whether there is such a user.</param>
/// <param name="IsBanned">Whether that one is kept out of the group.</param>
/// <param name="StaysOut">Whether that one has left it lately.</param>
/// <param name="WasInBefore">Whether that one finds settings of one's own as they were.</param>
public sealed record Newcomer(UserId UserId, bool IsKnown, bool TakesPart, bool IsBanned, bool StaysOut, bool WasInBefore)
{
    /// <summary>Refuses all of them where one may not come in; who left lately may be brought back by the service.</summary>
    /// <param name="placeOf">Their places in the request.</param>
    public static void EnsureWelcome(IReadOnlyCollection<Newcomer> named, Actor by, Func<UserId, string> placeOf)
    {
        var unknown = named.Where(one => !one.IsKnown)
            .Select(one => ParticipantErrors.Unknown(placeOf(one.UserId), one.UserId).Problem).ToList();
        if (unknown.Count > 0)
            throw new RuleException(unknown);
        if (named.FirstOrDefault(one => one.IsBanned) is { } banned)
            throw ParticipantErrors.Banned(placeOf(banned.UserId), banned.UserId);
        if (!by.IsService && named.FirstOrDefault(one => one is { StaysOut: true, TakesPart: false }) is { } gone)
            throw ParticipantErrors.LeftLately(placeOf(gone.UserId), gone.UserId);
    }
}
