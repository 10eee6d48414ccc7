using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>
/// Takes the refresh token that is good of its family and gives the next one. One that was used before means that two hold it, and which of
/// them is the thief cannot be told: the whole family is revoked, with its access tokens and what is open with them. Simultaneous use is no
/// exception. A family does not live for ever: then the password is asked for again.
/// </summary>
public sealed record RefreshLogin(string RefreshToken) : ICommand<LoginResult>;

public sealed class RefreshLoginHandler(
    DbSession session,
    UserTokenSigner sign,
    AccountSettings settings,
    RevocationList revocations,
    IClock clock,
    ILogger<RefreshLoginHandler> logger)
    : IRequestHandler<RefreshLogin, LoginResult>
{
    // Locks the family's row: of simultaneous uses of a token one passes. Index: pk_refresh_tokens.
    private const string RotateSql =
        $"""
        WITH rotated AS (
            UPDATE refresh_tokens
            SET token_hash = @NextHash,
                expires_at = LEAST(@ExpiresAt, created_at + make_interval(hours => 24 * @LoginDays))
            WHERE family_hash = @FamilyHash AND token_hash = @TokenHash AND expires_at > @Now AND created_at > @BegunAfter
            RETURNING user_id
        )
        SELECT {ProfileSql.Columns}
        FROM rotated AS r
        JOIN users AS u ON u.id = r.user_id
        """;

    // A statement and commit of its own, which the refusal that follows does not undo. A token that is merely over stays for a while: by it
    // the account knows the device. Index: pk_refresh_tokens.
    private const string RevokeSql =
        $"""
        WITH ended AS (
            DELETE FROM refresh_tokens
            WHERE family_hash = @FamilyHash AND token_hash <> @TokenHash
            RETURNING family_hash, user_id
        ), revoked AS (
            {RevocationSql.OfEndedLogins}
        )
        SELECT r.kind, r.subject, r.revoked_at, e.user_id
        FROM ended AS e, revoked AS r
        """;

    private sealed record Ended(RevocationKind Kind, string Subject, Instant RevokedAt, UserId UserId)
        : Revocation(Kind, Subject, RevokedAt);

    public async Task<LoginResult> Handle(RefreshLogin command, CancellationToken ct)
    {
        if (!RefreshToken.TryParse(command.RefreshToken, out var token))
            throw AccountErrors.RefreshRefused();

        var (next, now) = (token.Next(), clock.GetCurrentInstant());
        var user = await session.QuerySingleOrDefaultAsync<UserProfile>(
            RotateSql,
            new
            {
                FamilyHash = token.FamilyHash(),
                TokenHash = token.Hash(),
                NextHash = next.Hash(),
                Now = now,
                ExpiresAt = settings.RefreshBefore(now),
                BegunAfter = now - Duration.FromDays(settings.LoginDays),
                settings.LoginDays,
            },
            ct);
        if (user is not null)
            return LoginResult.Of(user, next, sign, settings, now);

        var used = new { FamilyHash = token.FamilyHash(), TokenHash = token.Hash() };
        if (await session.QuerySingleOrDefaultAsync<Ended>(RevokeSql, used, ct) is { } ended)
        {
            revocations.AddAfterCommit(session, ended);
            logger.LogWarning("A refresh token of {UserId} came that was used before; its login is revoked", ended.UserId);
        }
        throw AccountErrors.RefreshRefused();
    }
}
