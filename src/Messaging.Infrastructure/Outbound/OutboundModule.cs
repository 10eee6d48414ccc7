using Messaging.Application.Common;
using Messaging.Application.Outbound;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Outbound;

/// <summary>What calls addresses that somebody else has chosen, be it a webhook's or a browser's, goes through here.</summary>
public sealed class OutboundModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<INameResolver, SystemNames>();
        services.AddSingleton<OutboundAddresses>();
        services.AddSingleton<IOutboundAddresses>(provider => provider.GetRequiredService<OutboundAddresses>());
    }
}
