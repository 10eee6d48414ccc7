using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Retention;

/// <summary>Ends and removes conversations whose time is over, once an hour on one node of the cluster.</summary>
public sealed class RetentionWorker(
    DirectDataSource database, QuietConversations quiet, Purges purges, ILogger<RetentionWorker> logger) : BackgroundService
{
    private const string LeaseName = "retention";

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly string holder = Lease.NewHolder();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, RunHourlyAsync, stoppingToken);

    private async Task RunHourlyAsync(CancellationToken ct)
    {
        if (await LeadsAsync(ct))
        {
            await quiet.CloseAsync(ct);
            await purges.PurgeAsync(ct);
        }
        await Task.Delay(Every, ct);
    }

    // Not renewed: it keeps other nodes from doing the same within the hour.
    private async Task<bool> LeadsAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await Lease.AcquireAsync(connection, LeaseName, holder, Every - TimeSpan.FromMinutes(1), ct) is not null;
    }
}
