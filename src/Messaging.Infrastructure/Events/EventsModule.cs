using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Infrastructure.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Events;

/// <summary>The way of events from the outbox through the feed to this node's listeners, and what keeps their tables in order.</summary>
public sealed class EventsModule : Module
{
    // Index: pk_feed_ends.
    private const string PurgeEndsSql =
        """
        DELETE FROM feed_ends
        WHERE conversation_id = $1
        """;

    public override IReadOnlyList<string> Tables { get; } = ["feed", "feed_ends", "feed_followers", "feed_state"];

    public override IReadOnlyList<string> Purges { get; } = [PurgeEndsSql];

    // What concerns no conversation; its parts are made, emptied and dropped.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["outbox"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<FeedSignal>();
        services.AddSingleton<MovedEvents>();
        services.AddSingleton<Partitions>();
        services.AddSingleton<PartitionIndexes>();
        services.AddSingleton<RowCleanup>();
        services.AddSingleton<Maintenance>();
        services.AddSingleton(provider => new Job(
            "cleanup", provider.GetRequiredService<JobSettings>().Cleanup, provider.GetRequiredService<Maintenance>().ClearAsync));
    }

    // Partitions and a place in the feed are there before the server listens.
    public override void AddWorkers(IServiceCollection services)
    {
        services.AddHostedService(provider => provider.GetRequiredService<Maintenance>());
        services.AddHostedService<FeedReader>();
        services.AddHostedService<Sequencer>();
    }
}
