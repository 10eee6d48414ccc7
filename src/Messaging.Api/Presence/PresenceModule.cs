using Messaging.Api.Configuration;
using Messaging.Application.Events;

namespace Messaging.Api.Presence;

/// <summary>Who is there, and who is typing.</summary>
public sealed class PresenceModule : ApiModule
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

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService(provider => provider.GetRequiredService<PresenceWorker>());

    public override void Map(IEndpointRouteBuilder routes) => routes.MapPresence();
}
