using System.Data.Common;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>
/// A new user with an account, logged in. The user's id is the service's to make, so that nobody gets that of somebody else.
/// </summary>
/// <param name="DisplayName">The username unless said.</param>
/// <param name="Origin">The address that it comes from.</param>
public sealed record RegisterAccount(string Username, Password Password, string? DisplayName, string Origin)
    : ICommand<LoginResult>;

public sealed class RegisterAccountValidator : AbstractValidator<RegisterAccount>
{
    public RegisterAccountValidator()
    {
        RuleFor(r => r.Username).IsUsername();
        RuleFor(r => r.Password).Custom((password, context) =>
        {
            if (PasswordRules.Fault(password, context.InstanceToValidate.Username) is { } fault)
                context.AddFailure(fault);
        });
        RuleFor(r => r.DisplayName).IsName();
    }
}

public sealed class RegisterAccountHandler(
    DbSession session, IPasswordHashing hashing, UserTokenSigner sign, AccountSettings settings, IClock clock)
    : IRequestHandler<RegisterAccount, LoginResult>
{
    // Never an upsert: a user who is there is nobody's to take. Of simultaneous registrations of a name uq_accounts_username lets one pass.
    private const string RegisterSql =
        """
        WITH profile AS (
            INSERT INTO users (id, display_name, created_at, updated_at)
            VALUES (@UserId, @DisplayName, @Now, @Now)
            RETURNING id, display_name, first_name, last_name, avatar_url, metadata, created_at, updated_at
        ), account AS (
            INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at)
            VALUES (@UserId, @Username, @PasswordHash, @Now, @Now)
            RETURNING username
        ), opened AS (
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            VALUES (@FamilyHash, @TokenHash, @UserId, @Now, @ExpiresAt)
        )
        SELECT p.id AS user_id, p.display_name, p.first_name, p.last_name, a.username, p.avatar_url, p.metadata, p.created_at, p.updated_at
        FROM profile AS p, account AS a
        """;

    public async Task<LoginResult> Handle(RegisterAccount command, CancellationToken ct)
    {
        var hash = await hashing.HashAsync(command.Password, command.Origin, ct);

        var (token, now) = (RefreshToken.New(), clock.GetCurrentInstant());
        try
        {
            var user = await session.QuerySingleAsync<UserProfile>(
                RegisterSql,
                new
                {
                    UserId = UserId.New(now).Value,
                    command.Username,
                    DisplayName = command.DisplayName ?? command.Username,
                    PasswordHash = hash,
                    FamilyHash = token.FamilyHash(),
                    TokenHash = token.Hash(),
                    Now = now,
                    ExpiresAt = settings.RefreshBefore(now),
                },
                ct);
            return LoginResult.Of(user, token, sign, settings, now);
        }
        catch (DbException e) when (e.Violates("uq_accounts_username"))
        {
            throw AccountErrors.UsernameTaken(command.Username);
        }
    }
}
