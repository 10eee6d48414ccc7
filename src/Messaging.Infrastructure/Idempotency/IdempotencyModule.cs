using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Idempotency;

/// <summary>Stored answers to repeated requests.</summary>
public sealed class IdempotencyModule : Module
{
    public override void AddServices(IServiceCollection services) => services.AddScoped<IdempotencyStore>();
}
