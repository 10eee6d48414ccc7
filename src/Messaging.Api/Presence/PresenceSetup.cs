using Messaging.Application.Events;

namespace Messaging.Api.Presence;

public static class PresenceSetup
{
    public static IServiceCollection AddPresence(this IServiceCollection services)
    {
        services.AddSingleton<LivePresence>();
        services.AddSingleton<LiveTyping>();
        services.AddSingleton<MemberCache>();
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<MemberCache>());
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<LivePresence>());
        services.AddSingleton<PresenceWorker>();
        return services;
    }

    public static IServiceCollection AddPresenceWorker(this IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<PresenceWorker>());
}
