using Messaging.Infrastructure.Cluster;

namespace Messaging.Api.RateLimiting;

/// <summary>Tells the other nodes what was taken here, many counts at once.</summary>
public sealed class RateLimitWorker(RateLimitExchange exchange, ILogger<RateLimitWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, TellAsync, stoppingToken);

    private async Task TellAsync(CancellationToken ct)
    {
        while (true)
        {
            await exchange.WaitAsync(ct);
            await Task.Delay(Moment, ct);
            exchange.Flush();
        }
    }
}
