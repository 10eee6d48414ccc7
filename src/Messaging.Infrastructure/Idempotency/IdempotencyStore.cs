using Messaging.Application.Common;

namespace Messaging.Infrastructure.Idempotency;

/// <summary>Stored answers by owner and key. All within the transaction that the request's effect is written in.</summary>
public sealed class IdempotencyStore(DbSession session)
{
    // Takes an advisory lock on owner and key for the transaction, without waiting. The answer is read by a second statement,
    // whose snapshot is younger than the lock: what its last holder committed is seen.
    private const string FindSql =
        """
        SELECT pg_try_advisory_xact_lock(hashtextextended(@Owner || chr(10) || @Key, 4711));

        SELECT fingerprint, status, headers, body
        FROM idempotency_keys
        WHERE owner = @Owner
          AND key = @Key
          AND created_at > now() - interval '48 hours'
        """;

    // An expired answer may still stand where the clean-up has not come by.
    private const string SaveSql =
        """
        INSERT INTO idempotency_keys (owner, key, fingerprint, status, headers, body, created_at)
        VALUES (@Owner, @Key, @Fingerprint, @Status, @Headers::jsonb, @Body, now())
        ON CONFLICT (owner, key) DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint,
            status = EXCLUDED.status,
            headers = EXCLUDED.headers,
            body = EXCLUDED.body,
            created_at = EXCLUDED.created_at
        """;

    /// <summary>Whether the key is ours for the transaction, and what it answered before.</summary>
    public Task<(bool Locked, StoredAnswer? Answer)> FindAsync(string owner, string key, CancellationToken ct) =>
        session.QueryBatchAsync(
            FindSql,
            new { Owner = owner, Key = key },
            async rows => (await rows.ReadSingleAsync<bool>(), await rows.ReadSingleOrDefaultAsync<StoredAnswer>()),
            ct);

    public Task SaveAsync(string owner, string key, StoredAnswer answer, CancellationToken ct) =>
        session.ExecuteAsync(
            SaveSql,
            new { Owner = owner, Key = key, answer.Fingerprint, answer.Status, answer.Headers, answer.Body },
            ct);
}

/// <summary>An answer as it was first given, to be given again.</summary>
/// <param name="Fingerprint">Of the request that it answers.</param>
/// <param name="Headers">Those that are given again, as a JSON object.</param>
public sealed record StoredAnswer(byte[] Fingerprint, int Status, string Headers, byte[] Body);
