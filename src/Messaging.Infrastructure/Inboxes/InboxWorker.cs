using Messaging.Application.Conversations;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Inboxes;

/// <summary>Checks the inboxes that may be large and, now and then and on one node only, those that are.</summary>
public sealed class InboxWorker(
    LargeInboxCache notes, LargeInboxes inboxes, DirectDataSource database, ILogger<InboxWorker> logger) : BackgroundService
{
    private const string LeaseName = "large-inboxes";

    // Consecutive pages of one user are checked once.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    private readonly string holder = Lease.NewHolder();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(
            Supervision.KeepRunningAsync(logger, LookAsync, stoppingToken), Supervision.KeepRunningAsync(logger, TendAsync, stoppingToken));
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var suspects = await notes.WaitAsync(Every, ct);
        if (suspects.Count == 0)
            return;
        foreach (var user in await inboxes.FindAsync(suspects, ct))
            await inboxes.KeepAsync(user, ct);
        await Task.Delay(Pause, ct);
    }

    private async Task TendAsync(CancellationToken ct)
    {
        if (await LeadsAsync(ct))
            await inboxes.TendAsync(ct);
        await Task.Delay(Every, ct);
    }

    // Not renewed: it keeps other nodes from doing the same in the meantime.
    private async Task<bool> LeadsAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await Lease.AcquireAsync(connection, LeaseName, holder, Every - TimeSpan.FromMinutes(1), ct) is not null;
    }
}
