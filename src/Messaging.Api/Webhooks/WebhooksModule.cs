using Messaging.Api.Configuration;

namespace Messaging.Api.Webhooks;

/// <summary>Webhooks.</summary>
public sealed class WebhooksModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Webhooks"] = "Addresses of your own services that are told of events.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapWebhooks().MapDeliveries();
}
