using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary><c>Messaging__Accounts__*</c>: accounts of this service's own, for products without an identity provider.</summary>
public sealed class AccountSettings : ISettings
{
    public static string Section => "Messaging:Accounts";

    /// <summary>OWASP's advice for PBKDF2 with HMAC-SHA-512.</summary>
    public const int AdvisedIterations = 210_000;

    /// <summary>Without it the calls of accounts are not there.</summary>
    public bool Enabled { get; init; }

    /// <summary>How long an access token is good, unless its login ends before.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a login lasts without a refresh.</summary>
    public int RefreshTokenDays { get; init; } = 30;

    /// <summary>How long a login lasts at most, however often it is refreshed; the password is asked for again then.</summary>
    public int LoginDays { get; init; } = 90;

    /// <summary>
    /// Failed attempts within <see cref="LockoutTime"/> after which no more are judged: of strangers for one username, of a device that
    /// the account knows, and of the account's own user for the current password, each counted apart.
    /// </summary>
    public int LockoutFailures { get; init; } = 10;

    /// <summary>How long failures are counted from the first one, and how long it is refused from the last one.</summary>
    public TimeSpan LockoutTime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What guessing a stolen hash costs, and each login here. Raised, it holds for a password from its next login on.</summary>
    public int HashIterations { get; init; } = AdvisedIterations;

    /// <summary>Passwords that one address may have waiting to be hashed; more are refused at once.</summary>
    public int HashQueuePerAddress { get; init; } = 10;

    /// <summary>Whether everybody sees the usernames of others, by which they log in. The service does in any case.</summary>
    public bool ShowUsernames { get; init; }

    /// <summary>When a login that begins now has to have been refreshed.</summary>
    internal Instant RefreshBefore(Instant now) => now + Duration.FromDays(Math.Min(RefreshTokenDays, LoginDays));

    public IEnumerable<string> Errors(bool production)
    {
        if (AccessTokenLifetime < TimeSpan.FromSeconds(1) || AccessTokenLifetime > TimeSpan.FromDays(1))
            yield return "AccessTokenLifetime: 00:00:01 to 1.00:00:00 is expected.";
        if (RefreshTokenDays is < 1 or > 3_650)
            yield return "RefreshTokenDays: 1 to 3650 is expected.";
        if (LoginDays is < 1 or > 3_650)
            yield return "LoginDays: 1 to 3650 is expected.";
        if (LockoutFailures < 1)
            yield return "LockoutFailures: 1 or more is expected.";
        if (LockoutTime < TimeSpan.FromSeconds(1) || LockoutTime > TimeSpan.FromDays(1))
            yield return "LockoutTime: 00:00:01 to 1.00:00:00 is expected.";
        if (HashIterations < 1)
            yield return "HashIterations: 1 or more is expected.";
        else if (production && HashIterations < AdvisedIterations)
            yield return $"HashIterations: in Production {AdvisedIterations} or more is expected.";
        if (HashQueuePerAddress is < 1 or > 1_000)
            yield return "HashQueuePerAddress: 1 to 1000 is expected.";
    }
}
