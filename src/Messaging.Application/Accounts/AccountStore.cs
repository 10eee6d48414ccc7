using Messaging.Application.Common;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>What an account is proven by.</summary>
public sealed record Account(UserId UserId, string Username, string PasswordHash);

/// <summary>
/// Proves by a password whose account it is, and counts the failures by username in the database, so that all nodes agree. A name that
/// there is not is counted and refused, and takes as long, as one that there is. An account whose hash another system made takes that
/// one's time until its first login here.
/// </summary>
public sealed class AccountStore(DbSession session, IPasswordHashing hashing, AccountSettings settings, IClock clock)
{
    // pk_login_failures.
    private const string LockedSql =
        """
        SELECT failures AS count, ends_at
        FROM login_failures
        WHERE username = @Name AND failures >= @LockoutFailures AND ends_at > @Now
        """;

    // Locks the name's row: of simultaneous failures each has a number of its own. The last one that is allowed begins the lockout.
    private const string FailSql =
        """
        INSERT INTO login_failures AS f (username, failures, ends_at)
        VALUES (@Name, 1, @EndsAt)
        ON CONFLICT (username) DO UPDATE
        SET failures = CASE WHEN f.ends_at > @Now THEN f.failures + 1 ELSE 1 END,
            ends_at = CASE WHEN f.ends_at > @Now AND f.failures + 1 <> @LockoutFailures THEN f.ends_at ELSE excluded.ends_at END
        RETURNING failures AS count, ends_at
        """;

    // pk_accounts.
    private const string StrengthenSql =
        """
        UPDATE accounts
        SET password_hash = @Stronger
        WHERE user_id = @UserId AND password_hash = @PasswordHash
        """;

    private sealed record Failures(int Count, Instant EndsAt);

    /// <summary>The account as it is stored now, or null when the password is wrong or there is none.</summary>
    /// <exception cref="RuleException">Too many attempts for the name have failed; the right password is refused, too.</exception>
    public async Task<Account?> ProveAsync(string username, Account? account, Password password, CancellationToken ct)
    {
        var name = username.ToLowerInvariant();
        await EnsureOpenAsync(name, ct);

        var match = await hashing.CheckAsync(account?.PasswordHash, password, ct);
        if (account is not null && match is not PasswordMatch.Wrong)
            return match is PasswordMatch.Right ? account : await StrengthenAsync(account, password, ct);

        await FailAsync(name, ct);
        return null;
    }

    private async Task EnsureOpenAsync(string name, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var locked = await session.QuerySingleOrDefaultAsync<Failures>(
            LockedSql, new { Name = name, settings.LockoutFailures, Now = now }, ct);
        if (locked is not null)
            throw Refusal(locked, now);
    }

    private async Task FailAsync(string name, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var failed = await session.QuerySingleAsync<Failures>(
            FailSql, new { Name = name, settings.LockoutFailures, Now = now, EndsAt = now + Duration.FromTimeSpan(settings.LockoutTime) }, ct);
        if (failed.Count > settings.LockoutFailures)
            throw Refusal(failed, now);
    }

    private async Task<Account> StrengthenAsync(Account account, Password password, CancellationToken ct)
    {
        var stronger = await hashing.HashAsync(password, ct);
        var changed = await session.ExecuteAsync(
            StrengthenSql, new { UserId = account.UserId.Value, account.PasswordHash, Stronger = stronger }, ct);
        return changed == 1 ? account with { PasswordHash = stronger } : throw new ChangedMeanwhileException();
    }

    private static RuleException Refusal(Failures failures, Instant now) =>
        AccountErrors.TooManyFailures(Math.Max(1, (int)Math.Ceiling((failures.EndsAt - now).TotalSeconds)));
}
