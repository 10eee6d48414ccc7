using Messaging.Domain.Common;

namespace Messaging.Domain.Webhooks;

public static class WebhookErrors
{
    public static RuleException TooMany(int limit) => new(new Problem(
        ProblemCodes.LimitReached, $"There are {limit} webhooks already; delete one that nobody needs."));

    public static RuleException Disabled() => new(new Problem(
        ProblemCodes.WebhookDisabled, "Nothing is sent to a webhook that is disabled; enable it first."));

    public static RuleException PrivateAddress() => CommonErrors.Invalid(
        "url", "The address is in a private network, or its name leads into one; give one that can be reached from the Internet.");
}
