using System.Globalization;
using Messaging.Domain.Common;

namespace Messaging.Domain.Notifications;

public static class DeviceErrors
{
    public static RuleException Revoked() => new(new Problem(
        ProblemCodes.Unauthenticated, "The credential has been revoked; register the device with another one."));

    public static RuleException TooMany(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        string.Create(CultureInfo.InvariantCulture, $"A user can have at most {limit} devices; delete one that is not used any more.")));
}
