using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>
/// <see cref="Lockout"/> in SQL, for statements that name as <c>p</c> where somebody has left: those of who has left much long ago are not
/// read. By the time at which the transaction began, so that none is left out that holds when it is decided.
/// </summary>
public static class LockoutSql
{
    public const string Holds = "p.stays_out_until > now()";
}
