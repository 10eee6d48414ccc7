using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Keeps the files in order, once a minute on one node of the cluster.</summary>
public sealed class FileWorker(DirectDataSource database, FileKeeping files, ILogger<FileWorker> logger) : BackgroundService
{
    private const string LeaseName = "files";

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly string holder = Lease.NewHolder();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, RunAsync, stoppingToken);

    private async Task RunAsync(CancellationToken ct)
    {
        if (await LeadsAsync(ct))
        {
            await files.ScanAsync(ct);
            await files.CollectAsync(ct);
            await files.RemoveAsync(ct);
        }
        await Task.Delay(Every, ct);
    }

    // Not renewed: it keeps other nodes from doing the same within the minute.
    private async Task<bool> LeadsAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await Lease.AcquireAsync(connection, LeaseName, holder, Every - TimeSpan.FromSeconds(5), ct) is not null;
    }
}
