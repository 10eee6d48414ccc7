using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Domain.Saved;

public static class SavedErrors
{
    public static RuleException TooMany(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        string.Create(CultureInfo.InvariantCulture, $"A user can save at most {limit:N0} messages; remove some first.")));
}
