using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Who had left groups that were deleted since.</summary>
sealed class OldDepartures() : OldRows(ForgetSql, Duration.Zero)
{
    // Index: ix_departures_ends_at.
    private const string ForgetSql =
        """
        DELETE FROM departures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM departures WHERE ends_at < @Before LIMIT @Limit))
        """;}
