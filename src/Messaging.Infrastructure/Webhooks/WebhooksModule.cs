using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Calls to addresses that somebody else has chosen, and what makes and orders them.</summary>
public sealed class WebhooksModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<INameResolver, SystemNames>();
        services.AddSingleton<WebhookAddresses>();
        services.AddSingleton<IWebhookAddresses>(provider => provider.GetRequiredService<WebhookAddresses>());
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
