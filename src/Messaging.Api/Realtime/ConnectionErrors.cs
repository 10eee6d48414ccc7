using Messaging.Domain.Common;

namespace Messaging.Api.Realtime;

public static class ConnectionErrors
{
    public static RuleException TooMany(int most) => new(new Problem(
        ProblemCodes.RateLimited, $"You have {most} connections open on this node; close one before you open another.")
        {
            // One whose client is gone is missed after half a minute at the latest, and mostly at once.
            RetryAfterSeconds = 10,
        });

    public static RuleException Draining() => new(new Problem(
        ProblemCodes.Unavailable, "The service is on its way down; connect again.") { RetryAfterSeconds = 5 });

    public static RuleException TooManyReplays() => new(new Problem(
        ProblemCodes.RateLimited, "Your other connections are still catching up on missed events; retry in a few seconds.")
        {
            RetryAfterSeconds = 5,
        });
}
