using Messaging.Application.Bus;
using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Bus;

/// <summary>Signals between nodes that are not stored.</summary>
public sealed class BusModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["bus_key"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BusQueue>(provider, TimeProvider.System));
        services.AddSingleton<IBus>(provider => provider.GetRequiredService<BusQueue>());
        services.AddSingleton<BusName>();
        services.AddSingleton<BusKey>();
        services.AddSingleton(Carrier);
    }

    // Before those that publish when they stop: the bus stops after them and sends what they say last.
    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<BusWorker>();

    private static IBusCarrier Carrier(IServiceProvider provider) => provider.GetRequiredService<BusSettings>() switch
    {
        { RabbitMq: not null } => ActivatorUtilities.CreateInstance<RabbitMqCarrier>(provider),
        { Redis: not null } => ActivatorUtilities.CreateInstance<RedisCarrier>(provider),
        _ => ActivatorUtilities.CreateInstance<PostgresCarrier>(provider),
    };
}
