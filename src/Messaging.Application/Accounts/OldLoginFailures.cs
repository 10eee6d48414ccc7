using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Failed logins that no longer count.</summary>
sealed class OldLoginFailures() : OldRows(ForgetSql, Duration.Zero)
{
    // Index: ix_login_failures_ends_at.
    private const string ForgetSql =
        """
        DELETE FROM login_failures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM login_failures WHERE ends_at < @Before LIMIT @Limit))
        """;}
