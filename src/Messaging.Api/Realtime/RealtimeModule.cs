using Messaging.Api.Auth;
using Messaging.Api.Configuration;
using Messaging.Api.Health;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>The hub and its connections.</summary>
public sealed class RealtimeModule : ApiModule
{
    // A text of 10,000 characters outside the basic plane, each escaped to twelve bytes, with metadata escaped likewise.
    private const int MaxFrameBytes = 256 * 1024;

    public override void AddServices(IServiceCollection services)
    {
        services.AddSignalR(hub => hub.MaximumReceiveMessageSize = MaxFrameBytes)
            .AddHubOptions<MessagingHub>(hub => hub.AddFilter<HubErrorFilter>())
            .AddJsonProtocol(json =>
            {
                MessagingJson.Configure(json.PayloadSerializerOptions);
                // Arguments arrive as they are and are read strictly by the hub, which can tell what is wrong.
                json.PayloadSerializerOptions.AllowDuplicateProperties = true;
            });
        // Refusals are answers, and what is unexpected is logged by HubErrors; SignalR would log both as errors.
        services.AddLogging(logging => logging
            .AddFilter("Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.SignalR.HubConnectionHandler", LogLevel.None));
        services.AddSingleton<HubErrors>();
        services.AddSingleton<HubErrorFilter>();
        services.AddSingleton<Replays>();
        services.AddSingleton<LiveConnections>();
        services.AddSingleton<ILiveConnections>(provider => provider.GetRequiredService<LiveConnections>());
        services.AddSingleton<ILiveReceiver>(provider => provider.GetRequiredService<LiveConnections>());
        services.AddSingleton<HubLifetimeManager<MessagingHub>, MessagingLifetime>();
        services.AddSingleton<ConnectionDrain>();
        services.AddSingleton<DrainStep>(provider => provider.GetRequiredService<ConnectionDrain>().RunAsync);
    }

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<ExpiryWorker>();

    public override void UseAfterAuthorization(IApplicationBuilder app) => app.UseMiddleware<HubGuard>();

    public override void Map(IEndpointRouteBuilder routes) => routes.MapHub<MessagingHub>(MessagingHub.Path).RequireScope(Scope.Events);
}
