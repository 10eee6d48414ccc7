using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Push;

/// <summary>How notifications reach devices.</summary>
public sealed class PushModule : Module
{
    public override void AddServices(IServiceCollection services) => services.AddSingleton<PushSignal>();
}
