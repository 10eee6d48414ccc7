using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Calls to addresses that somebody else has chosen.</summary>
public sealed class WebhooksModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<INameResolver, SystemNames>();
        services.AddSingleton<WebhookAddresses>();
        services.AddSingleton<IWebhookAddresses>(provider => provider.GetRequiredService<WebhookAddresses>());
        services.AddSingleton<IWebhookSender, WebhookClient>();
    }
}
