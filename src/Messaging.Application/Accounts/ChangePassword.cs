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

/// <summary>
/// Changes one's own password, ends all logins of the account with what is open of them, and begins a new one on this device.
/// </summary>
/// <param name="Origin">The address that it comes from.</param>
public sealed record ChangePassword(UserId UserId, Password CurrentPassword, Password NewPassword, string Origin)
    : ICommand<LoginResult>;

public sealed class ChangePasswordValidator : AbstractValidator<ChangePassword>
{
    public ChangePasswordValidator()
    {
        RuleFor(r => r.CurrentPassword).IsTyped();
        RuleFor(r => r.NewPassword).Custom((password, context) =>
        {
            if (PasswordRules.Fault(password, username: null) is { } fault)
                context.AddFailure(fault);
        });
    }
}

public sealed class ChangePasswordHandler(
    DbSession session,
    AccountStore accounts,
    IPasswordHashing hashing,
    UserTokenSigner sign,
    AccountSettings settings,
    RevocationList revocations,
    IClock clock)
    : IRequestHandler<ChangePassword, LoginResult>
{
    // pk_accounts.
    private const string AccountSql =
        """
        SELECT user_id, username, password_hash
        FROM accounts
        WHERE user_id = @UserId
        """;

    // One round trip, which is one transaction. The first statement locks the account's row and waits for logins with the old password that
    // are being opened; the second, whose snapshot is younger, sees them. Index: pk_accounts, ix_refresh_tokens_user_id.
    private const string ChangeSql =
        $"""
        UPDATE accounts
        SET password_hash = @NewHash,
            password_changed_at = @Now
        WHERE user_id = @UserId AND password_hash = @PasswordHash;

        WITH ended AS (
            DELETE FROM refresh_tokens
            WHERE user_id = @UserId
                AND EXISTS (SELECT 1 FROM accounts WHERE user_id = @UserId AND password_hash = @NewHash)
            RETURNING family_hash
        )
        {RevocationSql.OfEndedLogins};

        WITH account AS (
            SELECT user_id, lower(username) AS name
            FROM accounts
            WHERE user_id = @UserId AND password_hash = @NewHash
        ), opened AS (
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            SELECT @FamilyHash, @TokenHash, user_id, @Now, @ExpiresAt
            FROM account
        ), forgotten AS (
            DELETE FROM login_failures
            WHERE username = @CountedBy OR username IN (SELECT name FROM account)
        )
        SELECT {ProfileSql.Columns}
        FROM account
        JOIN users AS u ON u.id = account.user_id
        """;

    public async Task<LoginResult> Handle(ChangePassword command, CancellationToken ct)
    {
        var userId = command.UserId.Value;
        var found = await session.QuerySingleOrDefaultAsync<Account>(AccountSql, new { UserId = userId }, ct)
            ?? throw CommonErrors.NotFound();

        if (PasswordRules.Fault(command.NewPassword, found.Username) is { } fault)
            throw CommonErrors.Invalid("newPassword", fault);
        var attempts = Attempts.OfOwner(command.UserId, command.Origin);
        var account = await accounts.ProveAsync(found, command.CurrentPassword, attempts, ct) ?? throw AccountErrors.WrongPassword();
        var hash = await hashing.HashAsync(command.NewPassword, attempts.Origin, ct);

        var (token, now) = (RefreshToken.New(), clock.GetCurrentInstant());
        var (ended, user) = await session.QueryBatchAsync(
            ChangeSql,
            new
            {
                UserId = userId,
                account.PasswordHash,
                NewHash = hash,
                attempts.CountedBy,
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
