using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Revocations;

/// <summary>Follows what is revoked on any node.</summary>
public sealed class RevocationsModule : Module
{
    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<RevocationReader>();
}
