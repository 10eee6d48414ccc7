using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>
/// Ends all tokens of a user that were issued before now, and the logins of a built-in account, and closes what the user has open. The
/// user's devices get no more pushes until they are registered again. Holds for a user who has not come yet, too: the token that is to be
/// stopped may be the first.
/// </summary>
public sealed record RevokeTokens(UserId UserId) : ICommand<Done>
{
    /// <summary>How far ahead of the database's time that second may lie up to which tokens have ended, or in which one begins.</summary>
    public const int MaxSecondsAhead = 5;
}

public sealed class RevokeTokensHandler(DbSession session, RevocationList revocations) : IRequestHandler<RevokeTokens, Done>
{
    // Locks the account's row, and waits for logins that are being opened. Index: pk_accounts.
    private const string LockSql =
        """
        SELECT user_id
        FROM accounts
        WHERE user_id = @UserId
        FOR NO KEY UPDATE
        """;

    // Its snapshot is younger than the lock. Index: ix_refresh_tokens_user_id, pk_revocations.
    private const string EndLoginsSql =
        $"""
        WITH ended AS (
            DELETE FROM refresh_tokens
            WHERE user_id = @UserId
            RETURNING family_hash
        )
        {RevocationSql.OfEndedLogins}
        """;

    // Since a token that was minted since the last time begins in the second after it, that second ends, too, however soon this comes.
    // The devices are locked in the order in which all do. Index: pk_devices, pk_revocations.
    private const string EndTokensSql =
        """
        WITH held AS (
            SELECT user_id, device_id
            FROM devices
            WHERE user_id = @UserId
            ORDER BY user_id, device_id
            FOR UPDATE
        ),
        unregistered AS (
            DELETE FROM devices d
            USING held
            WHERE d.user_id = held.user_id AND d.device_id = held.device_id
        )
        INSERT INTO revocations AS r (kind, subject)
        VALUES ('tokens', @UserId), ('connections', @UserId)
        ON CONFLICT (kind, subject) DO UPDATE
        SET revoked_at = greatest(r.revoked_at, excluded.revoked_at, CASE r.kind WHEN 'tokens' THEN least(
                date_trunc('second', r.revoked_at) + interval '1 second',
                date_trunc('second', excluded.revoked_at) + make_interval(secs => @MaxSecondsAhead)) END),
            xact = excluded.xact
        RETURNING kind, subject, revoked_at
        """;

    // One round trip, which is one transaction.
    private const string RevokeSql = $"{LockSql};{EndLoginsSql};{EndTokensSql}";

    public async Task<Done> Handle(RevokeTokens command, CancellationToken ct)
    {
        var revoked = await session.QueryBatchAsync(
            RevokeSql,
            new { UserId = command.UserId.Value, RevokeTokens.MaxSecondsAhead },
            async grid =>
            {
                _ = await grid.ReadAsync<string>();
                return (await grid.ReadAsync<Revocation>()).Concat(await grid.ReadAsync<Revocation>()).ToList();
            },
            ct);
        revocations.AddAfterCommit(session, revoked);
        return default;
    }
}
