using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Revocations;

/// <summary>What was revoked, as this node knows it.</summary>
public sealed class RevocationsModule : Module
{
    public override void AddServices(IServiceCollection services) => services.AddSingleton<RevocationList>();
}
