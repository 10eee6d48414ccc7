using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Names that senders gave to their messages, so that a repeat is known.</summary>
sealed class OldMessageKeys() : OldRows(ForgetSql, Duration.FromDays(8))
{
    // Index: ix_message_keys_created_at.
    private const string ForgetSql =
        """
        DELETE FROM message_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_keys WHERE created_at < @Before LIMIT @Limit))
        """;}
