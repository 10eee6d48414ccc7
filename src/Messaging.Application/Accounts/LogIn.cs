using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Begins a login on one device with the account's password.</summary>
/// <param name="Origin">The address that it comes from.</param>
/// <param name="Device">
/// The refresh token that the device was given last, be it over: strangers who guess at the account's password do not lock it out.
/// </param>
public sealed record LogIn(string Username, Password Password, string Origin, RefreshToken? Device = null) : IStatementCommand<LoginResult>;

public sealed class LogInValidator : AbstractValidator<LogIn>
{
    public LogInValidator()
    {
        RuleFor(r => r.Username).IsUsername();
        RuleFor(r => r.Password).IsTyped();
    }
}

public sealed class LogInHandler(DbSession session, AccountStore accounts, UserTokenSigner sign, AccountSettings settings, IClock clock)
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
    // their kind out meanwhile. Ends the count of failures.
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
        ), opened AS (
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            SELECT @FamilyHash, @TokenHash, user_id, @Now, @ExpiresAt
            FROM account
        ), forgotten AS (
            DELETE FROM login_failures
            WHERE username = @CountedBy AND EXISTS (SELECT 1 FROM account)
        )
        SELECT {ProfileSql.Columns}
        FROM account
        JOIN users AS u ON u.id = account.user_id
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

        var attempts = found is { IsKnown: true } ? Attempts.OfDevice(command.Device!) : Attempts.OfStrangers(name, command.Origin);
        var account = await accounts.ProveAsync(found?.Account, command.Password, attempts, ct) ?? throw AccountErrors.WrongLogin();

        var (token, now) = (RefreshToken.New(), clock.GetCurrentInstant());
        var user = await session.QuerySingleOrDefaultAsync<UserProfile>(
            OpenSql,
            new
            {
                UserId = account.UserId.Value,
                account.PasswordHash,
                attempts.CountedBy,
                settings.LockoutFailures,
                FamilyHash = token.FamilyHash(),
                TokenHash = token.Hash(),
                Now = now,
                ExpiresAt = settings.RefreshBefore(now),
            },
            ct);
        return user is null ? throw new ChangedMeanwhileException() : LoginResult.Of(user, token, sign, settings, now);
    }
}
