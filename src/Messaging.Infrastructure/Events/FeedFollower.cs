using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Dapper;
using Messaging.Application.Events;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Follows the feed in the name of the cluster: one node at a time reads it, from where the one before got to. What the events lead to is
/// written in the transaction in which the follower's place moves on: each event counts once, however often nodes die, pause or take over.
/// A new follower begins at the end of the feed. An event that cannot be worked on is passed over, aloud.
/// </summary>
public abstract class FeedFollower(
    string name, DirectDataSource database, FeedSignal signal, EventRenderer renderer, ILogger logger) : BackgroundService
{
    private const string BeginSql =
        """
        INSERT INTO feed_followers (name, epoch, position)
        SELECT @Name, epoch, last_position
        FROM feed_state
        ON CONFLICT (name) DO NOTHING
        """;

    // Index: pk_feed_followers.
    private const string PlaceSql =
        """
        SELECT epoch, position
        FROM feed_followers
        WHERE name = @Name
        """;

    // Locks the follower's row, after the lease's.
    private const string MoveSql =
        """
        UPDATE feed_followers
        SET epoch = @Epoch, position = @Position
        WHERE name = @Name
        """;

    // Nobody looks at what comes of it within a moment, and a commit for each event would cost senders more than the event itself.
    protected static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);

    private readonly Leadership leadership = new(database, $"follower:{name}", $"the {name} behind the feed", logger);
    private readonly Stopwatch unsaved = new();
    private FeedCursor place;
    private Stride? lastStride;

    /// <summary>How long it rests when there is nothing to do and nobody says that there is.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After how long its place is saved behind what led to nothing. The move of the sequencer is in the log before: what is made durable
    /// here makes it durable, too.
    /// </summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Decides what the next events lead to. Reads through <paramref name="tail"/>, and has what is returned write it, on the connection it
    /// is given, in the transaction in which the place moves on. After a failure it is asked again about fewer events, down to one.
    /// </summary>
    /// <param name="after">Where the events begin; gives the epoch of their ids.</param>
    protected abstract Task<Decision> DecideAsync(
        FeedTail tail, FeedCursor after, IReadOnlyList<FeedRow> rows, CancellationToken ct);

    /// <summary>How many events are worked on at once, at most.</summary>
    protected virtual int MostEvents => FeedTail.BatchSize;

    /// <summary>How long events gather after such work.</summary>
    protected virtual TimeSpan RestAfter(TimeSpan work) => Gather;

    /// <summary>What else the leader does between two batches, by <see cref="WriteAsync"/>; true if it wants to go on at once.</summary>
    /// <param name="at">Where the follower is.</param>
    protected virtual Task<bool> GoOnAsync(Turn turn, FeedTail tail, FeedCursor at, CancellationToken ct) => Task.FromResult(false);

    protected sealed override Task ExecuteAsync(CancellationToken stoppingToken) => Supervision.KeepRunningAsync(
        logger, ct => leadership.TakeTurnAsync(FollowAsync, ct), stoppingToken);

    /// <summary>Writes in one transaction, if this node still leads; false if it does not, and nothing was written.</summary>
    protected static async Task<bool> WriteAsync(Turn turn, Func<NpgsqlConnection, Task> write, CancellationToken ct)
    {
        await using var connection = await turn.Database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await turn.Lease.IsHeldAsync(connection, ct))
            return false;
        await write(connection);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Saves where the follower is, so that another node that goes on does nothing twice of what is written with it.</summary>
    protected Task SaveAsync(NpgsqlConnection connection, FeedCursor at, CancellationToken ct) => connection.ExecuteAsync(
        new CommandDefinition(MoveSql, new { Name = name, at.Epoch, at.Position }, cancellationToken: ct));

    /// <summary>
    /// Whether to go on behind the first of the events that were worked on in vain, since it fails by itself; else to try again with fewer.
    /// </summary>
    protected bool PassesOver(Exception failure, IReadOnlyList<FeedRow> rows, Stride stride)
    {
        if (!stride.Failed(failure, rows.Count))
        {
            if (!Stride.IsOfEvents(failure))
                ExceptionDispatchInfo.Throw(failure);
            return false;
        }
        LiveTelling.Failures.Add(1, new("type", rows[0].Type), new("receiver", name));
        // Neither the exception's message nor the event's data: both may contain message text.
        logger.LogError(
            "The {Follower} pass over the event at {Position} ({Type}): {Exception} {Code}\n{Stack}",
            name, rows[0].Position, rows[0].Type, failure.GetType().Name, (failure as PostgresException)?.SqlState, failure.StackTrace);
        return true;
    }

    private Stride NextStride => lastStride ??= new Stride(MostEvents);

    private async Task FollowAsync(Turn turn, CancellationToken ct)
    {
        await using var tail = await FeedTail.OpenAsync(database.Value, renderer, ct);
        using var waker = signal.Listen();
        place = await BeginAsync(turn, ct);
        unsaved.Reset();
        var began = Stopwatch.GetTimestamp();
        while (await turn.GoesOnAsync(ct))
        {
            if (await TakeAsync(turn, tail, ct) is not { } hasMore)
                return;
            if (await GoOnAsync(turn, tail, place, ct) | hasMore)
                continue;
            var rest = RestAfter(Stopwatch.GetElapsedTime(began));
            await waker.WaitAsync(Poll, ct);
            await Task.Delay(rest, ct);
            began = Stopwatch.GetTimestamp();
        }
    }

    private async Task<FeedCursor> BeginAsync(Turn turn, CancellationToken ct)
    {
        await using var connection = await turn.Database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(BeginSql, new { Name = name }, cancellationToken: ct));
        return await connection.QuerySingleAsync<FeedCursor>(
            new CommandDefinition(PlaceSql, new { Name = name }, cancellationToken: ct));
    }

    // Whether there is more; null if this node leads no longer.
    private async Task<bool?> TakeAsync(Turn turn, FeedTail tail, CancellationToken ct)
    {
        var stride = NextStride;
        var asked = stride.Length;
        var (rows, end, expired) = await tail.ReadNextAsync(place.Position, asked, ct);
        if (end.Epoch != place.Epoch || end.Position < place.Position || place.Position < expired)
            return await MoveAsync(turn, Continued(end, expired), write: null, ct) ? true : null;
        if (rows.Count == 0)
            return unsaved.Elapsed < SaveEvery || await MoveAsync(turn, place, write: null, ct) ? false : null;
        try
        {
            var decision = await DecideAsync(tail, place, rows, ct);
            if (!await GoToAsync(turn, rows[decision.Events - 1], decision.Write, ct))
                return null;
            stride.Succeeded(rows.Count, decision.Events);
            return decision.Events < rows.Count || rows.Count == asked;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (PassesOver(e, rows, stride) && !await GoToAsync(turn, rows[0], write: null, ct))
                return null;
            return true;
        }
    }

    // What led to nothing is not worth a commit of its own at once.
    private async Task<bool> GoToAsync(Turn turn, FeedRow last, Func<NpgsqlConnection, Task>? write, CancellationToken ct)
    {
        var next = place with { Position = last.Position };
        if (write is not null || unsaved.Elapsed >= SaveEvery)
            return await MoveAsync(turn, next, write, ct);
        unsaved.Start();
        place = next;
        return true;
    }

    private async Task<bool> MoveAsync(Turn turn, FeedCursor to, Func<NpgsqlConnection, Task>? write, CancellationToken ct)
    {
        var moved = await WriteAsync(turn, WriteBothAsync, ct);
        unsaved.Reset();
        place = to;
        return moved;

        async Task WriteBothAsync(NpgsqlConnection connection)
        {
            if (write is not null)
                await write(connection);
            await SaveAsync(connection, to, ct);
        }
    }

    // A database that was restored brought the place with it: the same position means the same there.
    private FeedCursor Continued(FeedCursor end, long expired)
    {
        var to = end with { Position = Math.Clamp(place.Position, Math.Min(expired, end.Position), end.Position) };
        if (place.Position < expired)
            logger.LogError("The {Follower} missed the events from {Place} to {To}: the feed keeps them no longer", name, place, to);
        else
            logger.LogWarning("The {Follower} go on at {To} instead of {Place}: the database was restored", name, to, place);
        signal.Forget();
        return to;
    }
}

/// <summary>What events lead to.</summary>
/// <param name="Events">How many of them this is of, from the first on; what the others lead to is decided next.</param>
/// <param name="Write">Writes it; null where they lead to nothing.</param>
public sealed record Decision(int Events, Func<NpgsqlConnection, Task>? Write);
