using Messaging.Api.Configuration;

namespace Messaging.Api.Idempotency;

/// <summary>Stored answers to repeated requests.</summary>
public sealed class IdempotencyModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddScoped<IdempotencyStore>();
    }
}
