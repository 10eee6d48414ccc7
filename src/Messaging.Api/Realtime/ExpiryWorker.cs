using Messaging.Infrastructure.Cluster;
using NodaTime;

namespace Messaging.Api.Realtime;

/// <summary>
/// Ends connections whose token is over by the database's time, half a second late at most, and while the database does not answer, too.
/// SignalR can do so itself, but by the node's own clock.
/// </summary>
public sealed class ExpiryWorker(LiveConnections connections, IClock clock, ILogger<ExpiryWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, EndExpiredAsync, stoppingToken);

    private async Task EndExpiredAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(ct))
            connections.EndExpired(clock.GetCurrentInstant());
    }
}
