using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Events;

/// <summary>Events: what is told, to whom, and where a client goes on from.</summary>
public sealed class EventsModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<EventRenderer>();
        services.AddScoped<Outbox>();
    }
}
