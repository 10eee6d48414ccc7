using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Infrastructure.Idempotency;

/// <summary>Stored answers.</summary>
sealed class OldIdempotencyKeys() : OldRows(ForgetSql, Duration.FromHours(48))
{
    // Index: ix_idempotency_keys_created_at.
    private const string ForgetSql =
        """
        DELETE FROM idempotency_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys WHERE created_at < @Before LIMIT @Limit))
        """;}
