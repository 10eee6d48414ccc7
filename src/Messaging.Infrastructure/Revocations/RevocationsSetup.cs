using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Revocations;

public static class RevocationsSetup
{
    public static IServiceCollection AddRevocationReader(this IServiceCollection services) => services.AddHostedService<RevocationReader>();
}
