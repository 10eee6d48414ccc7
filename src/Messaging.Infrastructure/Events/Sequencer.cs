using Dapper;
using Messaging.Application.Events;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Gives events their positions in the feed: one node in the cluster does it, the holder of the lease; the others wait for the lease to
/// expire.
/// </summary>
public sealed class Sequencer(
    DirectDataSource database, OutboxSignal outbox, MovedEvents moved, FeedSignal feed, Partitions partitions, ILogger<Sequencer> logger)
    : BackgroundService
{
    public const string LeaseName = "sequencer";

    // Locks feed_state's row. Clients may have seen positions that a crash has rolled back; these must not be assigned to other events. So
    // it skips far more positions than can be assigned before the server flushes its log. A reader of the feed walks over the gap, 100,000
    // positions in a statement.
    private const string LeapSql =
        """
        UPDATE feed_state
        SET last_position = last_position + 20000
        """;

    private static readonly TimeSpan BusyPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(5);

    // Moving many events at once costs several times less per event.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(2);

    private readonly Leadership leadership = new(database, LeaseName, "the feed", logger);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, ct => leadership.TakeTurnAsync(LeadAsync, ct), stoppingToken);

    private async Task LeadAsync(Turn turn, CancellationToken ct)
    {
        var clock = TimeProvider.System;
        var busy = clock.GetTimestamp();
        var pace = new Pace(clock);
        await using var connection = await turn.Database.OpenConnectionAsync(ct);
        if (await FeedEpoch.EnsureAsync(connection, ct))
            logger.LogWarning("A new epoch begins: this database did not give out the cursors that clients hold");
        await connection.ExecuteAsync(new CommandDefinition(LeapSql, cancellationToken: ct));
        await using var mover = await OutboxMover.PrepareAsync(connection, turn.Lease, ct);
        while (await turn.GoesOnAsync(ct))
        {
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
                // Signals that arrived in the meantime are covered by this move.
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
            // Events of a day without a feed partition: left over from long ago, or the clock was changed.
            await partitions.MakeForOutboxAsync(mover.Parts, mover.From, ct);
            return default;
        }
    }
}
