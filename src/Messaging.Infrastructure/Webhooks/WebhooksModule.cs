using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>The deliveries of webhooks: what makes, orders and sends them.</summary>
public sealed class WebhooksModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<IWebhookSender, WebhookClient>();
        services.AddSingleton<WebhookCaller>();
        services.AddSingleton<DeliveryResults>();
    }

    public override void AddWorkers(IServiceCollection services)
    {
        services.AddHostedService<WebhookFollower>();
        services.AddHostedService<WebhookDeliveries>();
    }
}
