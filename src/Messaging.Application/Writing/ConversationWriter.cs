using System.Data;
using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Writing;

/// <summary>
/// Writes all changes to conversations. Changes that arrive while others are being written are batched and share locks, statements, a
/// commit and two round trips; without load none waits. Changes to one conversation, and changes to one membership that leave the
/// conversation alone, are decided in the order in which they arrived.
/// </summary>
public sealed class ConversationWriter(
    WriteDataSource database, IServiceScopeFactory scopes, OutboxSignal signal, TimeProvider time)
{
    public const int MaxBatch = 64;

    /// <summary>The number of batches in flight at once.</summary>
    public const int InFlight = 2;

    /// <summary>How many conversations locked by others are waited for at once, each on its own connection.</summary>
    public const int Waits = 2;

    private const int MaxBatchBytes = 1 << 20;
    private const int MaxWaiting = 4_096;
    private const int MaxWaitingBytes = 64 << 20;
    private const int MaxWaitingOfLine = 320;

    // Each of them occupies one of the connections for commands, 20 by default.
    private const int MaxWaitingWithin = 10;
    private const int Attempts = 5;

    // Retrying without waiting never succeeds while others queue for the lock: after this many attempts it joins the queue.
    private const int MissesBeforeWaiting = 4;

    // From this many waiting changes on, only participants may join them.
    private const int Crowd = 64;

    /// <summary>
    /// How long a change waits for rows locked by others: longer than the server lets a stuck transaction hold them.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(25);

    private readonly Lock gate = new();
    private readonly Dictionary<(ConversationId, UserId?), Line> lines = [];
    private readonly LinkedList<Line> ready = [];
    private readonly Dictionary<ConversationId, int> within = [];
    private int running;
    private int waits;
    private int waiting;
    private long waitingBytes;

    /// <summary>Decides and stores the change, together with those that arrive at the same time.</summary>
    public Task<TResult> RunAsync<TResult>(Change<TResult> change, CancellationToken ct)
    {
        lock (gate)
        {
            var key = (change.ConversationId, change.Place);
            var line = lines.GetValueOrDefault(key) ?? new Line(key);
            if (waiting >= MaxWaiting || waitingBytes + change.Size > MaxWaitingBytes || line.Count >= MaxWaitingOfLine)
                throw CommonErrors.Busy();
            lines[key] = line;
            line.Waiting.AddLast(new Item(line, change, time.GetTimestamp(), ct));
            line.Count++;
            waiting++;
            waitingBytes += change.Size;
            if (line.State is LineState.Idle)
                MakeReady(line);
        }
        return change.Done;
    }

    /// <summary>Whether so many wait for the conversation that only its participants should join them.</summary>
    public bool IsCrowded(ConversationId id)
    {
        lock (gate)
            return lines.GetValueOrDefault((id, null)) is { Count: >= Crowd };
    }

    /// <summary>
    /// Decides and writes changes to different conversations within the session's open transaction. Waits for at most a second, and not at
    /// all if many are waiting already.
    /// </summary>
    public async Task<TResult[]> RunWithinAsync<TResult>(DbSession session, IReadOnlyList<Change<TResult>> changes, CancellationToken ct)
    {
        lock (gate)
        {
            if (changes.Any(change => within.GetValueOrDefault(change.ConversationId) >= MaxWaitingWithin))
                throw CommonErrors.Busy();
            foreach (var change in changes)
                within[change.ConversationId] = within.GetValueOrDefault(change.ConversationId) + 1;
        }
        try
        {
            await session.UseTransactionAsync((connection, transaction) => NewSet().RunAsync(connection, transaction, changes, ct));
        }
        finally
        {
            lock (gate)
            {
                foreach (var change in changes)
                {
                    if (--within[change.ConversationId] == 0)
                        within.Remove(change.ConversationId);
                }
            }
        }
        session.AfterCommit(signal.Raise);
        return await Task.WhenAll(changes.Select(change => change.Done));
    }

    // Under the gate.
    private void MakeReady(Line line)
    {
        line.State = LineState.Ready;
        ready.AddLast(line);
        if (running < InFlight)
        {
            running++;
            _ = Task.Run(WriteAsync);
        }
    }

    private async Task WriteAsync()
    {
        while (Take() is { Count: > 0 } batch)
            await WriteAsync(batch);
    }

    // The next batch: everything waiting for the conversations that have waited longest; a change that failed in a batch goes alone.
    private List<Item> Take()
    {
        lock (gate)
        {
            var batch = new List<Item>();
            var bytes = 0;
            while (ready.First is { Value: var line } && batch.Count < MaxBatch && bytes < MaxBatchBytes)
            {
                var alone = line.Waiting.First?.Value.Alone == true;
                if (alone && batch.Count > 0)
                    break;
                ready.RemoveFirst();
                line.State = LineState.Writing;
                var before = batch.Count;
                TakeFrom(line, batch, ref bytes);
                if (batch.Count == before)
                    Release(line);
                else if (alone)
                    break;
            }
            if (batch.Count == 0)
                running--;
            return batch;
        }
    }

    // Under the gate: what may be batched together, in order.
    private void TakeFrom(Line line, List<Item> batch, ref int bytes)
    {
        var (alone, before) = (line.Waiting.First?.Value.Alone == true, batch.Count);
        while (line.Waiting.First is { Value: var item } && batch.Count < MaxBatch && bytes < MaxBatchBytes
            && item.Alone == alone && (!alone || batch.Count == before))
        {
            line.Waiting.RemoveFirst();
            if (Drop(item))
                continue;
            batch.Add(item);
            bytes += item.Change.Size;
        }
    }

    // Drops a change whose caller has gone, or that has waited too long.
    private bool Drop(Item item)
    {
        if (item.Ct.IsCancellationRequested)
            Forget(item, i => i.Change.Fail(new OperationCanceledException(i.Ct)));
        else if (time.GetElapsedTime(item.Since) > MaxWait)
            Forget(item, i => i.Change.Fail(CommonErrors.Busy()));
        else
            return false;
        return true;
    }

    // Queues for the lock of one conversation.
    private async Task WaitAsync(Line line)
    {
        var batch = new List<Item>();
        lock (gate)
        {
            var bytes = 0;
            TakeFrom(line, batch, ref bytes);
        }
        if (batch.Count > 0)
            await WriteAsync(batch, waits: true);
        lock (gate)
        {
            waits--;
            if (batch.Count == 0)
                Release(line);
        }
    }

    private async Task WriteAsync(List<Item> batch, bool waits = false)
    {
        var set = NewSet();
        try
        {
            await using var connection = await database.Value.OpenConnectionAsync();
            try
            {
                var missed = (await set.RunAsync(connection, [.. batch.Select(item => item.Change)], waits, CancellationToken.None))
                    .ToHashSet();
                signal.Raise();
                Settle(batch, item => missed.Contains(item.Change) ? Wait(item) : Complete(item, set));
            }
            catch
            {
                await RollBackAsync(connection);
                throw;
            }
        }
        // Others held the locks for too long, and nothing is stored.
        catch (DbException e) when (e.SqlState == SqlStates.LockNotAvailable && (waits || batch.Count == 1))
        {
            Settle(batch, Wait);
        }
        // Nothing is stored. One of them alone may be to blame.
        catch (Exception e) when (set.IsUnwritten || IsTakenBack(e))
        {
            var isUnlucky = e is DbException { SqlState: SqlStates.SerializationFailure or SqlStates.DeadlockDetected };
            Settle(batch, item => batch.Count > 1 || (isUnlucky && ++item.Failures < Attempts) ? Again(item) : Fail(item, e));
        }
        // It is unknown whether it was committed; a repeat with the same clientMessageId finds out.
        catch (Exception e)
        {
            Settle(batch, item => Fail(item, e));
        }
    }

    // The scope only lets the parts of one set find each other: nothing of it needs disposing.
    private ChangeSet NewSet()
    {
        using var scope = scopes.CreateScope();
        return scope.ServiceProvider.GetRequiredService<ChangeSet>();
    }

    // A server that shuts down or ends the connection may have committed before it reported the error.
    private static bool IsTakenBack(Exception e) =>
        e is DbException { SqlState: { } state }
        && !state.StartsWith("57P", StringComparison.Ordinal) && !state.StartsWith("08", StringComparison.Ordinal);

    private static async Task RollBackAsync(DbConnection connection)
    {
        if (connection.State is not ConnectionState.Open)
            return;
        try
        {
            await using var rollback = connection.CreateCommand();
            rollback.CommandText = "ROLLBACK";
            await rollback.ExecuteNonQueryAsync();
        }
        catch (DbException)
        {
            // The connection is broken, which also ended its transaction.
        }
    }

    private Outcome Complete(Item item, ChangeSet set)
    {
        Forget(item, i => i.Change.Complete(set));
        return Outcome.Done;
    }

    private Outcome Fail(Item item, Exception e)
    {
        Forget(item, i => i.Change.Fail(e));
        return Outcome.Done;
    }

    private Outcome Wait(Item item) => time.GetElapsedTime(item.Since) < MaxWait ? Outcome.Later : Fail(item, CommonErrors.Busy());

    private static Outcome Again(Item item)
    {
        item.Alone = true;
        return Outcome.Again;
    }

    // Under the gate.
    private void Forget(Item item, Action<Item> end)
    {
        item.Line.Count--;
        waiting--;
        waitingBytes -= item.Change.Size;
        end(item);
    }

    // What is not done returns to its queue, ahead of everything that arrived later.
    private void Settle(List<Item> batch, Func<Item, Outcome> decide)
    {
        lock (gate)
        {
            foreach (var group in batch.GroupBy(item => item.Line))
            {
                var (line, isLate) = (group.Key, false);
                foreach (var item in group.Reverse())
                {
                    var fate = decide(item);
                    if (fate is not Outcome.Done)
                        line.Waiting.AddFirst(item);
                    isLate |= fate is Outcome.Later;
                }
                if (isLate)
                {
                    Pause(line);
                    continue;
                }
                line.Misses = 0;
                Release(line);
            }
        }
    }

    // Under the gate.
    private void Release(Line line)
    {
        if (line.Waiting.Count > 0)
            MakeReady(line);
        else
            lines.Remove(line.Key);
    }

    // Under the gate. A conversation locked by others delays only itself.
    private void Pause(Line line)
    {
        if (line.Misses >= MissesBeforeWaiting && waits < Waits)
        {
            (line.Misses, line.State) = (0, LineState.Writing);
            waits++;
            _ = Task.Run(() => WaitAsync(line));
            return;
        }
        var pause = FirstPause * Math.Pow(2, Math.Min(line.Misses++, 10));
        line.State = LineState.Pausing;
        _ = ResumeAsync(line, pause < LongestPause ? pause : LongestPause);
    }

    private async Task ResumeAsync(Line line, TimeSpan pause)
    {
        await Task.Delay(pause, time);
        lock (gate)
            Release(line);
    }

    private enum LineState
    {
        Idle,
        Ready,
        Writing,
        Pausing,
    }

    private enum Outcome
    {
        Done,
        Again,
        Later,
    }

    private sealed class Line((ConversationId, UserId?) key)
    {
        public (ConversationId, UserId?) Key { get; } = key;

        public LinkedList<Item> Waiting { get; } = [];

        /// <summary>How many are not done yet: waiting here, or in a batch in flight.</summary>
        public int Count { get; set; }

        public LineState State { get; set; }

        public int Misses { get; set; }
    }

    private sealed class Item(Line line, Change change, long since, CancellationToken ct)
    {
        public Line Line { get; } = line;

        public Change Change { get; } = change;

        public long Since { get; } = since;

        public CancellationToken Ct { get; } = ct;

        /// <summary>Whether it is written alone: because it must be, or because it failed in a batch.</summary>
        public bool Alone { get; set; } = change.GoesAlone;

        public int Failures { get; set; }
    }
}
