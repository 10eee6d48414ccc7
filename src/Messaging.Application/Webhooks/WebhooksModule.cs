using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>Addresses of other services that are told of events.</summary>
public sealed class WebhooksModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["webhooks"];
}
