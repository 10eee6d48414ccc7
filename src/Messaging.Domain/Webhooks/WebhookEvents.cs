using Messaging.Domain.Common;

namespace Messaging.Domain.Webhooks;

/// <summary>The service has stopped calling a webhook: it answered 410, or has failed for days.</summary>
public sealed record WebhookDisabled : IServiceEvent
{
    public const string Name = "webhook:disabled";

    /// <summary>It answered 410.</summary>
    public const string Gone = "gone";

    /// <summary>No call has succeeded for five days.</summary>
    public const string Failing = "failing";

    public string Type => Name;
}

/// <summary>Deliveries of a webhook have failed for the last time: they are not tried again unless somebody asks for it.</summary>
public sealed record WebhookParked : IServiceEvent
{
    public const string Name = "webhook:parked";

    public string Type => Name;
}

/// <summary>
/// A delivery that a service asks for, to see whether its receiver works. No event: it is not in the feed, and no filter has it.
/// </summary>
public static class WebhookTest
{
    public const string Name = "webhook:test";
}
