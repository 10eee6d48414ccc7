using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Accounts;

namespace Messaging.Application.Accounts;

/// <summary>
/// Ends the login that the refresh token is of, its access tokens, what is open with them, and the pushes to devices that were registered
/// with them. What is no token, or of no login, is logged out already.
/// </summary>
public sealed record LogOut(string RefreshToken) : ICommand<Done>;

public sealed class LogOutHandler(DbSession session, RevocationList revocations) : IRequestHandler<LogOut, Done>
{
    // pk_refresh_tokens, pk_devices. Any token of the family will do: one that was used before is a reason all the more to end it. The
    // devices are locked in the order in which all do.
    private const string RevokeSql =
        $"""
        WITH ended AS (
            DELETE FROM refresh_tokens
            WHERE family_hash = @FamilyHash
            RETURNING family_hash, user_id
        ),
        held AS (
            SELECT d.user_id, d.device_id
            FROM ended
            JOIN devices d ON d.user_id = ended.user_id AND d.family_hash = ended.family_hash
            ORDER BY d.user_id, d.device_id
            FOR UPDATE OF d
        ),
        unregistered AS (
            DELETE FROM devices d
            USING held
            WHERE d.user_id = held.user_id AND d.device_id = held.device_id
        )
        {RevocationSql.OfEndedLogins}
        """;

    public async Task<Done> Handle(LogOut command, CancellationToken ct)
    {
        if (!RefreshToken.TryParse(command.RefreshToken, out var token))
            return default;
        var ended = await session.QueryAsync<Revocation>(RevokeSql, new { FamilyHash = token.FamilyHash() }, ct);
        revocations.AddAfterCommit(session, ended);
        return default;
    }
}
