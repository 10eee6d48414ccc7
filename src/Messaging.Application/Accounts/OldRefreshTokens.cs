using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Refresh tokens that are over, which still tell the account's devices from strangers for a while.</summary>
sealed class OldRefreshTokens() : OldRows(ForgetSql, Duration.FromDays(30))
{
    // Index: ix_refresh_tokens_expires_at.
    private const string ForgetSql =
        """
        DELETE FROM refresh_tokens
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM refresh_tokens WHERE expires_at < @Before LIMIT @Limit))
        """;}
