using Messaging.Application.Common;
using Messaging.Application.Events;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Presence;

/// <summary>Who is online and who is typing, known to every node.</summary>
public sealed class PresenceModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<LivePresence>();
        services.AddSingleton<LiveTyping>();
        services.AddSingleton<MemberCache>();
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<MemberCache>());
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<LivePresence>());
        services.AddSingleton<PresenceWorker>();
    }

    public override void AddWorkers(IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<PresenceWorker>());
}
