using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Domain.Saved;

public static class SavedErrors
{
    public static RuleException TooMany(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        string.Create(CultureInfo.InvariantCulture, $"One user saves at most {limit:N0} messages; take some of them out first.")));
}
