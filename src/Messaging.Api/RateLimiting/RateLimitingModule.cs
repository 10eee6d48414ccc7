using Messaging.Api.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Messaging.Api.RateLimiting;

/// <summary>What a caller may do in a minute.</summary>
public sealed class RateLimitingModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RateLimitExchange>();
        services.AddSingleton<RateLimits>();
    }

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<RateLimitWorker>();
}
