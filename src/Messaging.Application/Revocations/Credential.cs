using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>What somebody was let in by, as far as it can be revoked or expires.</summary>
/// <param name="UserId">Whose token it is, or as whom a service key acts.</param>
/// <param name="ServiceKeyId">The service key, or the one that minted the token.</param>
/// <param name="Session">The login of a built-in account that the token is of.</param>
/// <param name="IssuedAt">When the token was issued, the beginning of time if it does not say; null for a service key.</param>
/// <param name="ExpiresAt">From when on the token is good no more; null for a service key.</param>
public sealed record Credential(UserId? UserId, string? ServiceKeyId, string? Session, Instant? IssuedAt, Instant? ExpiresAt = null)
{
    public bool IsExpired(Instant now) => ExpiresAt <= now;
}
