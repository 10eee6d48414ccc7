namespace Messaging.Application.Accounts;

/// <summary><c>Messaging__Accounts__*</c>: accounts of this service's own, for products without an identity provider.</summary>
public sealed class AccountSettings
{
    /// <summary>OWASP's advice for PBKDF2 with HMAC-SHA-512.</summary>
    public const int AdvisedIterations = 210_000;

    /// <summary>Without it the calls of accounts are not there.</summary>
    public bool Enabled { get; init; }

    /// <summary>How long an access token is good, unless its login ends before.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a login lasts without a refresh.</summary>
    public int RefreshTokenDays { get; init; } = 30;

    /// <summary>Failed attempts for one username, within <see cref="LockoutTime"/>, after which it is refused.</summary>
    public int LockoutFailures { get; init; } = 10;

    /// <summary>How long failures are counted from the first one, and how long it is refused from the last one.</summary>
    public TimeSpan LockoutTime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What guessing a stolen hash costs, and each login here. Raised, it holds for a password from its next login on.</summary>
    public int HashIterations { get; init; } = AdvisedIterations;

    public IEnumerable<string> Errors(bool production)
    {
        if (AccessTokenLifetime < TimeSpan.FromSeconds(1) || AccessTokenLifetime > TimeSpan.FromDays(1))
            yield return "AccessTokenLifetime: 00:00:01 to 1.00:00:00 is expected.";
        if (RefreshTokenDays is < 1 or > 3_650)
            yield return "RefreshTokenDays: 1 to 3650 is expected.";
        if (LockoutFailures < 1)
            yield return "LockoutFailures: 1 or more is expected.";
        if (LockoutTime < TimeSpan.FromSeconds(1) || LockoutTime > TimeSpan.FromDays(1))
            yield return "LockoutTime: 00:00:01 to 1.00:00:00 is expected.";
        if (HashIterations < 1)
            yield return "HashIterations: 1 or more is expected.";
        else if (production && HashIterations < AdvisedIterations)
            yield return $"HashIterations: in Production {AdvisedIterations} or more is expected.";
    }
}
