using Dapper;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Begins a login on one device with the account's password; on a known device in place of the one before, which ends.</summary>
/// <param name="Origin">The address that it comes from.</param>
/// <param name="Device">
/// The refresh token that the device was given last, be it over: strangers who guess at the account's password do not lock it out.
/// </param>
public sealed record LogIn(string Username, Password Password, string Origin, RefreshToken? Device = null) : ICommand<LoginResult>;

public sealed class LogInValidator : AbstractValidator<LogIn>
{
    public LogInValidator()
    {
        RuleFor(r => r.Username).IsUsername();
        RuleFor(r => r.Password).IsTyped();
    }
}

public sealed class LogInHandler(
    DbSession session, AccountStore accounts, UserTokenSigner sign, AccountSettings settings, RevocationList revocations, IClock clock)
    : IRequestHandler<LogIn, LoginResult>
{
    // uq_accounts_username, pk_refresh_tokens.
    private const string AccountSql =
        """
        SELECT
            a.user_id,
            a.username,
            a.password_hash,
            EXISTS (
                SELECT 1
                FROM refresh_tokens AS t
                WHERE t.family_hash = @FamilyHash AND t.token_hash = @TokenHash AND t.user_id = a.user_id) AS is_known
        FROM accounts AS a
        WHERE lower(a.username) = @Name
        """;

    // Locks the account's row against a change of the password that was proven, and holds only where no simultaneous attempts have locked
    // their kind out meanwhile. Ends the count of failures. A known device's login before ends, of simultaneous ones for one of them alone;
    // it is told first, then whose the new login is. Index: pk_refresh_tokens, pk_accounts.
    private const string OpenSql =
        $"""
        WITH account AS (
            SELECT a.user_id
            FROM accounts AS a
            WHERE a.user_id = @UserId
                AND a.password_hash = @PasswordHash
                AND NOT EXISTS (
                    SELECT 1
                    FROM login_failures AS f
                    WHERE f.username = @CountedBy AND f.failures >= @LockoutFailures AND f.ends_at > @Now)
            FOR SHARE OF a
        ), ended AS (
            DELETE FROM refresh_tokens AS t
            USING account AS a
            WHERE t.family_hash = @EndedFamily AND t.token_hash = @EndedToken AND t.user_id = a.user_id
            RETURNING t.family_hash
        ), owner AS (
            SELECT user_id
            FROM account
            WHERE NOT @IsKnown OR EXISTS (SELECT 1 FROM ended)
        ), opened AS (
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            SELECT @FamilyHash, @TokenHash, user_id, @Now, @ExpiresAt
            FROM owner
        ), forgotten AS (
            DELETE FROM login_failures
            WHERE username = @CountedBy AND EXISTS (SELECT 1 FROM owner)
        )
        {RevocationSql.OfEndedLogins};

        SELECT {ProfileSql.Columns}
        FROM refresh_tokens AS t
        JOIN users AS u ON u.id = t.user_id
        WHERE t.family_hash = @FamilyHash
        """;

    private sealed record Found(UserId UserId, string Username, string PasswordHash, bool IsKnown)
    {
        public Account Account => new(UserId, Username, PasswordHash);
    }

    public async Task<LoginResult> Handle(LogIn command, CancellationToken ct)
    {
        var name = command.Username.ToLowerInvariant();
        var found = await session.QuerySingleOrDefaultAsync<Found>(
            AccountSql, new { Name = name, FamilyHash = command.Device?.FamilyHash(), TokenHash = command.Device?.Hash() }, ct);

        var known = found is { IsKnown: true } ? command.Device : null;
        var attempts = known is not null ? Attempts.OfDevice(known, command.Origin) : Attempts.OfStrangers(name, command.Origin);
        var account = await accounts.ProveAsync(found?.Account, command.Password, attempts, ct) ?? throw AccountErrors.WrongLogin();

        var (token, now) = (RefreshToken.New(), clock.GetCurrentInstant());
        var (ended, user) = await session.QueryBatchAsync(
            OpenSql,
            new
            {
                UserId = account.UserId.Value,
                account.PasswordHash,
                attempts.CountedBy,
                settings.LockoutFailures,
                IsKnown = known is not null,
                EndedFamily = known?.FamilyHash(),
                EndedToken = known?.Hash(),
                FamilyHash = token.FamilyHash(),
                TokenHash = token.Hash(),
                Now = now,
                ExpiresAt = settings.RefreshBefore(now),
            },
            async grid => ((await grid.ReadAsync<Revocation>()).AsList(), await grid.ReadSingleOrDefaultAsync<UserProfile>()),
            ct);
        revocations.AddAfterCommit(session, ended);
        return user is null ? throw new ChangedMeanwhileException() : LoginResult.Of(user, token, sign, settings, now);
    }
}
