using Messaging.Infrastructure.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Jobs;

/// <summary>Asks again and again for each job whether it is due. Jobs do not wait for each other.</summary>
public sealed class JobWorker(IEnumerable<Job> jobs, JobRunner runner, ILogger<JobWorker> logger) : BackgroundService
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(jobs.Select(job => Supervision.KeepRunningAsync(logger, ct => AskAsync(job, ct), stoppingToken)));

    private async Task AskAsync(Job job, CancellationToken ct)
    {
        await runner.RunIfDueAsync(job, ct);
        await Task.Delay(AskEvery, ct);
    }
}
