using Messaging.Application.Common;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>What an account is proven by.</summary>
public sealed record Account(UserId UserId, string Username, string PasswordHash);

/// <summary>Whose attempts with a password are counted together, so that strangers who guess do not lock out whoever is known.</summary>
/// <param name="CountedBy">What only these attempts count by. No username has a colon.</param>
/// <param name="Origin">With whose passwords theirs wait to be hashed.</param>
public sealed record Attempts(string CountedBy, string Origin)
{
    /// <summary>Anybody's, for a username.</summary>
    public static Attempts OfStrangers(string username, string origin) => new(username.ToLowerInvariant(), origin);

    /// <summary>Those of one device that has logged in to the account before.</summary>
    public static Attempts OfDevice(RefreshToken device, string origin) =>
        OfKnown($"device:{Convert.ToHexStringLower(device.FamilyHash())}", origin);

    /// <summary>Those of the account's user, with an access token.</summary>
    public static Attempts OfOwner(UserId userId, string origin) => OfKnown($"owner:{userId}", origin);

    // Strangers at their address do not keep them waiting; nor have they, however many, more than one turn beside those strangers.
    private static Attempts OfKnown(string countedBy, string origin) => new(countedBy, $"{origin} known");
}

/// <summary>
/// Proves by a password whose account it is, and counts the failures in the database, so that all nodes agree: by <see cref="Attempts"/>.
/// A name that there is not is counted and refused, and takes as long, as one that there is. An account whose hash another system made
/// takes that one's time until its first login here.
/// </summary>
public sealed class AccountStore(DbSession session, IPasswordHashing hashing, AccountSettings settings, IClock clock)
{
    // pk_login_failures.
    private const string LockedSql =
        """
        SELECT failures AS count, ends_at
        FROM login_failures
        WHERE username = @CountedBy AND failures >= @LockoutFailures AND ends_at > @Now
        """;

    // Locks the row of whose attempts are counted: of simultaneous failures each has a number of its own. The last one that is allowed
    // begins the lockout.
    private const string FailSql =
        """
        INSERT INTO login_failures AS f (username, failures, ends_at)
        VALUES (@CountedBy, 1, @EndsAt)
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
    /// <exception cref="RuleException">Too many such attempts have failed; the right password is refused, too.</exception>
    public async Task<Account?> ProveAsync(Account? account, Password password, Attempts attempts, CancellationToken ct)
    {
        await EnsureOpenAsync(attempts.CountedBy, ct);

        var match = await hashing.CheckAsync(account?.PasswordHash, password, attempts.Origin, ct);
        if (account is not null && match is not PasswordMatch.Wrong)
            return match is PasswordMatch.Right ? account : await StrengthenAsync(account, password, attempts.Origin, ct);

        await FailAsync(attempts.CountedBy, ct);
        return null;
    }

    private async Task EnsureOpenAsync(string countedBy, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var locked = await session.QuerySingleOrDefaultAsync<Failures>(
            LockedSql, new { CountedBy = countedBy, settings.LockoutFailures, Now = now }, ct);
        if (locked is not null)
            throw Refusal(locked, now);
    }

    private async Task FailAsync(string countedBy, CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var failed = await session.QuerySingleAsync<Failures>(
            FailSql,
            new { CountedBy = countedBy, settings.LockoutFailures, Now = now, EndsAt = now + Duration.FromTimeSpan(settings.LockoutTime) },
            ct);
        if (failed.Count > settings.LockoutFailures)
            throw Refusal(failed, now);
    }

    private async Task<Account> StrengthenAsync(Account account, Password password, string origin, CancellationToken ct)
    {
        var stronger = await hashing.HashAsync(password, origin, ct);
        var changed = await session.ExecuteAsync(
            StrengthenSql, new { UserId = account.UserId.Value, account.PasswordHash, Stronger = stronger }, ct);
        return changed == 1 ? account with { PasswordHash = stronger } : throw new ChangedMeanwhileException();
    }

    private RuleException Refusal(Failures failures, Instant now) => AccountErrors.TooManyFailures(new BudgetState(
        "login-failures",
        settings.LockoutFailures,
        (int)settings.LockoutTime.TotalSeconds,
        Remaining: 0,
        Math.Max(1, (int)Math.Ceiling((failures.EndsAt - now).TotalSeconds))));
}
