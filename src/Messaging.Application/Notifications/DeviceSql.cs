namespace Messaging.Application.Notifications;

/// <summary>What is asked of a device <c>d</c> wherever devices are read.</summary>
public static class DeviceSql
{
    /// <summary>
    /// Whether what it was registered with is still good: its login has not ended, its key is not revoked, nor are its user's tokens of
    /// that time. It is asked when devices are read, so that a registration which a revocation overtakes takes nothing, either.
    /// </summary>
    // A login that has expired takes pushes until its row is removed: whoever has not opened the app for a month learns of messages.
    // The configured key stands in no table and is never revoked. Index: pk_refresh_tokens, pk_service_keys, pk_revocations.
    public const string IsGood =
        """
        (d.family_hash IS NULL OR EXISTS (SELECT FROM refresh_tokens t WHERE t.family_hash = d.family_hash))
            AND NOT EXISTS (SELECT FROM service_keys k WHERE k.id = d.service_key_id AND k.revoked_at IS NOT NULL)
            AND NOT EXISTS (
                SELECT FROM revocations r
                WHERE r.kind = 'tokens' AND r.subject = d.user_id AND date_trunc('second', r.revoked_at) >= d.issued_at)
        """;
}
