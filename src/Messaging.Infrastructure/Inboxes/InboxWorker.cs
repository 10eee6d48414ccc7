using Messaging.Application.Conversations;
using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Inboxes;

/// <summary>Checks the inboxes that this node saw and that may be large.</summary>
public sealed class InboxWorker(LargeInboxCache notes, LargeInboxes inboxes, ILogger<InboxWorker> logger) : BackgroundService
{
    // Consecutive pages of one user are checked once.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, LookAsync, stoppingToken);

    private async Task LookAsync(CancellationToken ct)
    {
        var suspects = await notes.WaitAsync(Every, ct);
        if (suspects.Count == 0)
            return;
        foreach (var user in await inboxes.FindAsync(suspects, ct))
            await inboxes.KeepAsync(user, ct);
        await Task.Delay(Pause, ct);
    }
}
