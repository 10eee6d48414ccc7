using Messaging.Application.Bus;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Bus;

public static class BusSetup
{
    public static IServiceCollection AddBus(this IServiceCollection services)
    {
        services.AddSingleton<BusQueue>();
        services.AddSingleton<IBus>(provider => provider.GetRequiredService<BusQueue>());
        return services;
    }

    /// <summary>Before those that publish when they stop: the bus stops after them and sends their last word.</summary>
    public static IServiceCollection AddBusWorker(this IServiceCollection services) => services.AddHostedService<PostgresBus>();
}
