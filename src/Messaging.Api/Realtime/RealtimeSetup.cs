using Messaging.Api.Auth;
using Messaging.Api.Health;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

public static class RealtimeSetup
{
    // A text of 10,000 characters outside the basic plane, each escaped to twelve bytes, with metadata escaped likewise.
    private const int MaxFrameBytes = 256 * 1024;

    public static IServiceCollection AddRealtime(this IServiceCollection services)
    {
        services.AddSignalR(hub => hub.MaximumReceiveMessageSize = MaxFrameBytes)
            .AddHubOptions<MessagingHub>(hub => hub.AddFilter<HubErrorFilter>())
            .AddJsonProtocol(json =>
            {
                MessagingJson.Configure(json.PayloadSerializerOptions);
                // Arguments arrive as they are and are read strictly by the hub, which can tell what is wrong.
                json.PayloadSerializerOptions.AllowDuplicateProperties = true;
            });
        // Refusals are answers, and what is unexpected is logged by HubErrors; the dispatcher would log both as errors.
        services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", LogLevel.None));
        services.AddSingleton<HubErrors>();
        services.AddSingleton<HubErrorFilter>();
        services.AddSingleton<Replays>();
        services.AddSingleton<LiveConnections>();
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<LiveConnections>());
        services.AddSingleton<HubLifetimeManager<MessagingHub>, MessagingLifetime>();
        services.AddSingleton<DrainStep>(provider => provider.GetRequiredService<LiveConnections>().DrainAsync);
        return services;
    }

    public static IServiceCollection AddRealtimeWorker(this IServiceCollection services) => services.AddHostedService<ExpiryWorker>();

    public static void MapRealtime(this IEndpointRouteBuilder app) =>
        app.MapHub<MessagingHub>(MessagingHub.Path).RequireScope(Scope.Events);
}
