using System.Diagnostics;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Cluster;

/// <summary>
/// Has work done by one node of the cluster at a time: the holder of a lease, which the others wait for to expire. It borrows a connection
/// for a moment each time, so that neither leading nor waiting to lead holds one.
/// </summary>
/// <param name="name">The lease's name.</param>
/// <param name="work">What is led, as the log says it.</param>
public sealed class Leadership(DirectDataSource database, string name, string work, ILogger logger)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);

    private readonly string holder = Lease.NewHolder();

    /// <summary>
    /// Waits for the lease, then leads until <paramref name="lead"/> returns. Gives the lease up when the node stops; after a failure it is
    /// this node's to take again.
    /// </summary>
    public async Task TakeTurnAsync(Func<Turn, CancellationToken, Task> lead, CancellationToken ct)
    {
        Lease? lease;
        while ((lease = await AcquireAsync(ct)) is null)
            await Task.Delay(AskEvery, ct);
        logger.LogInformation("Leads {Work}, fencing number {Fencing}", work, lease.Fencing);
        try
        {
            await lead(new Turn(database.Value, lease), ct);
            logger.LogWarning("Leads {Work} no longer: the lease passed on", work);
        }
        finally
        {
            if (ct.IsCancellationRequested)
                await ReleaseAsync(lease);
        }
    }

    private async Task<Lease?> AcquireAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        return await Lease.AcquireAsync(connection, name, holder, Turn.Term, ct);
    }

    // Another node need not wait until it expires. If this cannot be done, it does.
    private async Task ReleaseAsync(Lease lease)
    {
        try
        {
            await using var connection = await database.Value.OpenConnectionAsync(CancellationToken.None);
            await lease.ReleaseAsync(connection, CancellationToken.None);
        }
        catch (Exception e) when (DatabaseFailures.IsAway(e))
        {
            logger.LogWarning(e, "The lease of {Work} was not given back", work);
        }
    }
}

/// <summary>The time in which this node leads.</summary>
/// <param name="Database">Where the leader gets its connections, and renews the lease.</param>
public sealed record Turn(NpgsqlDataSource Database, Lease Lease)
{
    public static readonly TimeSpan Term = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    private long renewed = Stopwatch.GetTimestamp();

    /// <summary>
    /// To be asked between any two steps: false when another node has taken over, and the leader must stop. What a step writes checks
    /// <see cref="Lease.HeldSql"/> in its own transaction, since the node may have been paused since.
    /// </summary>
    public async Task<bool> GoesOnAsync(CancellationToken ct)
    {
        if (Stopwatch.GetElapsedTime(renewed) < RenewEvery)
            return true;
        await using var connection = await Database.OpenConnectionAsync(ct);
        if (!await Lease.RenewAsync(connection, Term, ct))
            return false;
        renewed = Stopwatch.GetTimestamp();
        return true;
    }
}
