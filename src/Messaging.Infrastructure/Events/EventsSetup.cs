using Messaging.Application.Events;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Retention;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Events;

public static class EventsSetup
{
    /// <summary>What the workers and the rest of the service share.</summary>
    public static IServiceCollection AddEvents(this IServiceCollection services)
    {
        services.AddSingleton<FeedSignal>();
        services.AddSingleton<MovedEvents>();
        services.AddSingleton<Partitions>();
        services.AddSingleton<PartitionIndexes>();
        services.AddSingleton<OldRows>();
        services.AddSingleton<Maintenance>();
        services.AddSingleton<QuietConversations>();
        services.AddSingleton<Purges>();
        return services;
    }

    /// <summary>The way of events from the outbox through the feed to this node's listeners, and what keeps their tables in order.</summary>
    public static IServiceCollection AddEventWorkers(this IServiceCollection services)
    {
        // In the order of starting: partitions and a place in the feed are there before the server listens.
        services.AddHostedService(provider => provider.GetRequiredService<DatabaseClock>());
        services.AddHostedService(provider => provider.GetRequiredService<Maintenance>());
        services.AddHostedService<FeedReader>();
        services.AddHostedService<FeedListener>();
        services.AddHostedService<Sequencer>();
        services.AddHostedService<RetentionWorker>();
        return services;
    }
}
