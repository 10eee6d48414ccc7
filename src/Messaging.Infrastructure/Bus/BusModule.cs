using Messaging.Application.Bus;
using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Bus;

/// <summary>Signals between nodes that are not stored.</summary>
public sealed class BusModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<BusQueue>();
        services.AddSingleton<IBus>(provider => provider.GetRequiredService<BusQueue>());
    }

    // Before those that publish when they stop: the bus stops after them and sends what they say last.
    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<PostgresBus>();
}
