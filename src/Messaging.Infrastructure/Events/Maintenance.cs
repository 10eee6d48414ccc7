using Messaging.Application.Retention;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Sees before the service starts that the partitions are there and that cursors given out will last, keeps partitions ahead of time,
/// and builds the indexes that are not on every partition yet. Clears away what is over when a job asks for it.
/// </summary>
public sealed class Maintenance(
    DirectDataSource database, Partitions partitions, PartitionIndexes indexes, RowCleanup cleanup, RetentionSettings settings,
    IClock clock,
    ILogger<Maintenance> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>Whether what is sent now finds its partition.</summary>
    public bool HasPartitions { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await MakeAsync(cancellationToken);
            await using var connection = await database.Value.OpenConnectionAsync(cancellationToken);
            await FeedEpoch.EnsureAsync(connection, cancellationToken);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            logger.LogWarning(e, "No partitions yet: the database does not answer");
        }
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Clears away what is over, now, on whichever node asks.</summary>
    public async Task ClearAsync(CancellationToken ct)
    {
        var today = DateOnly.FromDateTime(clock.GetCurrentInstant().ToDateTimeUtc());
        if (!await partitions.TryDropFeedBeforeAsync(today.AddDays(-settings.FeedDays), ct))
            logger.LogInformation("The feed is being read for long; its oldest days are kept for another hour");
        await cleanup.ForgetAsync(ct);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, RunHourlyAsync, stoppingToken);

    private async Task RunHourlyAsync(CancellationToken ct)
    {
        await MakeAsync(ct);
        // Whoever starts after an upgrade has them built.
        await indexes.BuildAsync(ct);
        await Task.Delay(Every, ct);
    }

    private async Task MakeAsync(CancellationToken ct)
    {
        await partitions.MakeAsync(ct);
        HasPartitions = true;
    }
}
