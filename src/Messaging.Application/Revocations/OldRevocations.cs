using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>What was revoked. No token of a key or a login lives longer than a day; those of a user may be the host's own and live as long as it likes.</summary>
sealed class OldRevocations() : OldRows(ForgetSql, Duration.FromDays(2))
{
    // Index: ix_revocations_kind_revoked_at.
    private const string ForgetSql =
        """
        DELETE FROM revocations
        WHERE ctid = ANY (ARRAY(
            SELECT ctid
            FROM revocations
            WHERE kind IN ('key', 'session', 'connections') AND revoked_at < @Before
            LIMIT @Limit))
        """;}
