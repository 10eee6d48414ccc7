using Messaging.Application.Events;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Gives events their place in the feed: in the whole cluster one node does, the holder of the lease; the others wait for it to run out.
/// </summary>
public sealed class Sequencer(
    DirectDataSource database, OutboxSignal outbox, MovedEvents moved, FeedSignal feed, Partitions partitions, ILogger<Sequencer> logger)
    : BackgroundService
{
    public const string LeaseName = "sequencer";

    // Locks feed_state's row. Positions that a crash has taken back were heard of, and must not be given to other events: far more than are
    // moved before the server writes its log by itself. A reader of the feed walks over them, 100,000 in a statement.
    private const string LeapSql =
        """
        UPDATE feed_state
        SET last_position = last_position + 20000
        """;

    private static readonly TimeSpan Term = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BusyPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(5);

    // An event costs several times less in a move of many than in a move of few.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(2);

    private readonly string holder = Lease.NewHolder();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, TakeTurnAsync, stoppingToken);

    private async Task TakeTurnAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        Lease? lease;
        while ((lease = await Lease.AcquireAsync(connection, LeaseName, holder, Term, ct)) is null)
            await Task.Delay(AskEvery, ct);
        logger.LogInformation("Leads the feed, fencing number {Fencing}", lease.Fencing);
        if (await FeedEpoch.EnsureAsync(connection, ct))
            logger.LogWarning("A new epoch begins: this database did not give out the cursors that clients hold");
        try
        {
            await LeadAsync(connection, lease, ct);
        }
        finally
        {
            if (ct.IsCancellationRequested && connection.State is System.Data.ConnectionState.Open)
                await lease.ReleaseAsync(connection, CancellationToken.None);
        }
    }

    private async Task LeadAsync(NpgsqlConnection connection, Lease lease, CancellationToken ct)
    {
        var clock = TimeProvider.System;
        var (renewed, busy) = (clock.GetTimestamp(), clock.GetTimestamp());
        var pace = new Pace(clock);
        await using (var leap = new NpgsqlCommand(LeapSql, connection))
            await leap.ExecuteNonQueryAsync(ct);
        await using var mover = await OutboxMover.PrepareAsync(connection, lease, ct);
        while (true)
        {
            if (clock.GetElapsedTime(renewed) >= RenewEvery)
            {
                if (!await lease.RenewAsync(connection, Term, ct))
                {
                    logger.LogWarning("Leads the feed no longer: the lease passed on");
                    return;
                }
                renewed = clock.GetTimestamp();
            }
            var move = await MoveAsync(mover, ct);
            if (move.Batch is { } batch)
            {
                moved.Add(batch);
                feed.Announce(move.LastPosition);
                pace.Count(move.Count);
                busy = clock.GetTimestamp();
            }
            if (move.HasMore)
                continue;
            var raised = await outbox.WaitAsync(clock.GetElapsedTime(busy) < BusyFor ? BusyPoll : IdlePoll, ct);
            if (raised && pace.IsFast())
            {
                await Task.Delay(Gather, ct);
                // What was raised meanwhile is moved with the rest.
                await outbox.WaitAsync(TimeSpan.Zero, ct);
            }
        }
    }

    private async Task<Move> MoveAsync(OutboxMover mover, CancellationToken ct)
    {
        try
        {
            return await mover.MoveAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CheckViolation)
        {
            // Events of a day that the feed has no partition for: left over from long ago, or the clock was set.
            await partitions.MakeForOutboxAsync(mover.Parts, mover.From, ct);
            return default;
        }
    }
}
