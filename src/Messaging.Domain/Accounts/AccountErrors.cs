using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Domain.Accounts;

public static class AccountErrors
{
    public static RuleException UsernameTaken(string username) => new(new Problem(
        ProblemCodes.AlreadyExists, $"The username '{username}' is in use; choose another one.", "#/username"));

    /// <summary>The same words for a username that there is not and for a wrong password.</summary>
    public static RuleException WrongLogin() => new(new Problem(ProblemCodes.Unauthenticated, "The username or the password is wrong."));

    public static RuleException WrongPassword() => new(new Problem(
        ProblemCodes.NotAllowed, "The current password is wrong.", "#/currentPassword"));

    public static RuleException TooManyFailures(int seconds) => new(new Problem(
        ProblemCodes.RateLimited,
        string.Create(CultureInfo.InvariantCulture, $"Too many failed attempts for this username; try again in {seconds} s."))
    {
        RetryAfterSeconds = seconds,
    });

    /// <summary>The same words for a token that is unknown, over, used before or revoked.</summary>
    public static RuleException RefreshRefused() => new(new Problem(
        ProblemCodes.Unauthenticated, "The refresh token is not good, or not any more; log in again."));
}
