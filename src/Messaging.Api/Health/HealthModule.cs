using Messaging.Api.Configuration;

namespace Messaging.Api.Health;

/// <summary>Liveness, readiness and the way down.</summary>
public sealed class HealthModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Operations"] = "For orchestrators and load balancers.",
    };

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<Draining>();
        services.AddSingleton<IHostLifetime, DrainingLifetime>();
        services.AddOptions<HostOptions>()
            .Configure<ShutdownSettings>((host, settings) => host.ShutdownTimeout = settings.StopTimeout);
    }

    public override void Map(IEndpointRouteBuilder routes) => routes.MapHealth();
}
