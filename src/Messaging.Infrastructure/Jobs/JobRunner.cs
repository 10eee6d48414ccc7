using Dapper;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Messaging.Infrastructure.Jobs;

/// <summary>
/// Runs a job under a lease that it renews meanwhile: on one node at a time, and on another soon after this one dies. A second lease, which
/// is written when the job is done, stands until it is due again.
/// </summary>
public sealed class JobRunner(DirectDataSource database, IClock clock, ILogger<JobRunner> logger)
{
    // Index: pk_leases.
    private const string IsDueSql =
        """
        SELECT NOT EXISTS (SELECT FROM leases WHERE name = @Name AND expires_at > clock_timestamp())
        """;

    // Whoever writes it holds the job's lease.
    private const string Schedule = "schedule";

    private static readonly Duration RetryAfter = Duration.FromMinutes(1);
    private static readonly TimeSpan RenewEvery = Turn.Term / 3;

    /// <summary>False if it is not due, or another node runs it. What makes it fail is logged, and it is tried again in a minute.</summary>
    public async Task<bool> RunIfDueAsync(Job job, CancellationToken ct)
    {
        if (!await IsDueAsync(job, ct) || await AcquireAsync(job.Name, Lease.NewHolder(), Turn.Term, ct) is not { } lease)
            return false;
        try
        {
            // Somebody else may have finished it in between.
            if (!await IsDueAsync(job, ct))
                return false;
            await RunAsync(job, lease, ct);
            await WritePauseAsync(job, lease, NextOf(job), ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.LogError(e, "The job {Job} has failed; it is tried again in {Seconds} s", job.Name, RetryAfter.TotalSeconds);
            await WritePauseAsync(job, lease, (clock.GetCurrentInstant() + RetryAfter).ToDateTimeUtc(), ct);
        }
        finally
        {
            await ReleaseAsync(lease);
        }
        return true;
    }

    /// <summary>Runs it now, be it due or not. False if another node runs it.</summary>
    public async Task<bool> RunNowAsync(Job job, CancellationToken ct)
    {
        if (await AcquireAsync(job.Name, Lease.NewHolder(), Turn.Term, ct) is not { } lease)
            return false;
        try
        {
            await RunAsync(job, lease, ct);
            return true;
        }
        finally
        {
            await ReleaseAsync(lease);
        }
    }

    private async Task RunAsync(Job job, Lease lease, CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var running = job.RunAsync(end.Token);
        try
        {
            while (await Task.WhenAny(running, Task.Delay(RenewEvery, ct)) != running)
            {
                await using var connection = await database.Value.OpenConnectionAsync(ct);
                if (!await lease.RenewAsync(connection, Turn.Term, ct))
                    throw new TimeoutException("Another node has taken it over, since this one stood still.");
            }
        }
        finally
        {
            await end.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await running;
    }

    private async Task<bool> IsDueAsync(Job job, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition(IsDueSql, new { Name = Pause(job) }, cancellationToken: ct));
    }

    // Whoever has taken the job over meanwhile says itself when it is due. Until that is written nobody takes it over: however long this
    // node stands still in between, it does not overwrite what another one has said.
    private async Task WritePauseAsync(Job job, Lease lease, DateTime until, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await lease.RenewAsync(connection, Turn.Term, ct))
            return;
        await Lease.WriteAsync(connection, Pause(job), Schedule, until, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task<Lease?> AcquireAsync(string name, string holder, TimeSpan term, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await Lease.AcquireAsync(connection, name, holder, term, ct);
    }

    // Another node need not wait until it expires. If this cannot be done, it does.
    private async Task ReleaseAsync(Lease lease)
    {
        try
        {
            await using var connection = await database.Value.OpenConnectionAsync();
            await lease.ReleaseAsync(connection, CancellationToken.None);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            logger.LogWarning(e, "The lease of {Job} was not given back", lease.Name);
        }
    }

    private static string Pause(Job job) => $"{job.Name}:next";

    private DateTime NextOf(Job job) => JobSettings.Next(job.Schedule, clock.GetCurrentInstant().ToDateTimeUtc())!.Value;
}
