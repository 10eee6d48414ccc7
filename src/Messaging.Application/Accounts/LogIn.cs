using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>Begins a login on one device with the account's password.</summary>
public sealed record LogIn(string Username, Password Password) : IStatementCommand<LoginResult>;

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
    // uq_accounts_username.
    private const string AccountSql =
        """
        SELECT user_id, username, password_hash
        FROM accounts
        WHERE lower(username) = @Name
        """;

    // Locks the account's row against a change of the password that was proven, and holds only where no simultaneous attempts have locked
    // the name meanwhile. Ends the count of failures.
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
                    WHERE f.username = @Name AND f.failures >= @LockoutFailures AND f.ends_at > @Now)
            FOR SHARE OF a
        ), opened AS (
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            SELECT @FamilyHash, @TokenHash, user_id, @Now, @ExpiresAt
            FROM account
        ), forgotten AS (
            DELETE FROM login_failures
            WHERE username = @Name AND EXISTS (SELECT 1 FROM account)
        )
        SELECT {ProfileSql.Columns}
        FROM account
        JOIN users AS u ON u.id = account.user_id
        """;

    public async Task<LoginResult> Handle(LogIn command, CancellationToken ct)
    {
        var name = command.Username.ToLowerInvariant();
        var found = await session.QuerySingleOrDefaultAsync<Account>(AccountSql, new { Name = name }, ct);

        var account = await accounts.ProveAsync(name, found, command.Password, ct) ?? throw AccountErrors.WrongLogin();

        var (token, now) = (RefreshToken.New(), clock.GetCurrentInstant());
        var user = await session.QuerySingleOrDefaultAsync<UserProfile>(
            OpenSql,
            new
            {
                UserId = account.UserId.Value,
                account.PasswordHash,
                Name = name,
                settings.LockoutFailures,
                FamilyHash = token.FamilyHash(),
                TokenHash = token.Hash(),
                Now = now,
                ExpiresAt = now + Duration.FromDays(settings.RefreshTokenDays),
            },
            ct);
        return user is null ? throw new ChangedMeanwhileException() : LoginResult.Of(user, token, sign, settings, now);
    }
}
