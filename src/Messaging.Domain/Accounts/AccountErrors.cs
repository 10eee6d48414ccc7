using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Domain.Accounts;

public static class AccountErrors
{
    public static RuleException UsernameTaken(string username) => new(new Problem(
        ProblemCodes.AlreadyExists, $"The username '{username}' is in use; choose another one.", "username"));

    /// <summary>The same words for a username that there is not and for a wrong password.</summary>
    public static RuleException WrongLogin() => new(new Problem(ProblemCodes.Unauthenticated, "The username or the password is wrong."));

    public static RuleException WrongPassword() => new(new Problem(
        ProblemCodes.NotAllowed, "The current password is wrong.", "currentPassword"));

    public static RuleException TooManyFailures(BudgetState budget) => new(new Problem(
        ProblemCodes.RateLimited,
        string.Create(CultureInfo.InvariantCulture, $"Too many failed attempts; try again in {budget.ResetSeconds} s."))
    {
        RetryAfterSeconds = budget.ResetSeconds,
        Budget = budget,
    });

    public static RuleException TooManyAtOnce(int most) => new(new Problem(
        ProblemCodes.RateLimited, "Too many passwords from this address are being checked at once; send them one at a time.")
    {
        RetryAfterSeconds = 1,
        Budget = new BudgetState("password-queue", most, WindowSeconds: 1, Remaining: 0, ResetSeconds: 1),
    });

    public static RuleException TooManyInAll() => new(new Problem(
        ProblemCodes.Unavailable, "Too many logins at once; try again in a moment.")
    {
        RetryAfterSeconds = 5,
    });

    /// <summary>The same words for a token that is unknown, over, used before or revoked.</summary>
    public static RuleException RefreshRefused() => new(new Problem(
        ProblemCodes.Unauthenticated, "The refresh token is invalid or has expired; log in again."));
}
