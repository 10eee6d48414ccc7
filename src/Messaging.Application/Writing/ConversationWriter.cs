using System.Data;
using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Writing;

/// <summary>
/// Writes what changes conversations. Changes that come while others are being written gather and share a lock, a plan, a commit and two
/// round trips; none waits where there is nothing to wait for. Those of one conversation, and those of
/// one place in it that leave the conversation alone, are decided in the order in which they came.
/// </summary>
public sealed class ConversationWriter(
    WriteDataSource database, PolicySettings policies, MessageDetailSet extras, OutboxSignal signal, TimeProvider time)
{
    public const int MaxBatch = 64;

    /// <summary>How many batches are on their way at once.</summary>
    public const int InFlight = 2;

    /// <summary>How many conversations that others hold are waited for at once, each on a connection of its own.</summary>
    public const int Waits = 2;

    private const int MaxBatchBytes = 1 << 20;
    private const int MaxWaiting = 4_096;
    private const int MaxWaitingBytes = 64 << 20;
    private const int MaxWaitingOfLine = 320;

    // Each of them keeps a connection from all other commands, of which there are 20 unless told otherwise.
    private const int MaxWaitingWithin = 10;
    private const int Attempts = 5;

    // Who only looks in now and then finds nothing free where others stand in a queue: after so many times it queues up too.
    private const int MissesBeforeWaiting = 4;

    // From so many on, whoever wants to wait with them has to take part.
    private const int Crowd = 64;

    /// <summary>
    /// How long a change waits for rows that somebody else holds: longer than the server leaves them to a process that is stuck within a
    /// transaction.
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

    /// <summary>Decides and stores the change, with those that come at the same moment.</summary>
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

    /// <summary>Whether so many wait for the conversation that nobody is to wait with them who may not change it.</summary>
    public bool IsCrowded(ConversationId id)
    {
        lock (gate)
            return lines.GetValueOrDefault((id, null)) is { Count: >= Crowd };
    }

    /// <summary>
    /// Decides and writes changes of different conversations within the transaction that the session has begun. Waits for a second at most,
    /// and not where many do.
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
            await session.UseTransactionAsync(
                (connection, transaction) => new ChangeSet(policies, extras).RunAsync(connection, transaction, changes, ct));
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

    // The next batch: of the conversations that have waited longest, all that waits; what failed in company goes alone.
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

    // Under the gate: what may go together, in its order.
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

    // Who has gone away, or has waited for too long wherever it was.
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

    // Of one conversation, for which it stands in the queue of those who want it.
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
        var set = new ChangeSet(policies, extras);
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
        // Somebody else held what was needed for too long, and nothing is stored.
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
        // Whether it was committed is not known; a repeat under the same clientMessageId finds out.
        catch (Exception e)
        {
            Settle(batch, item => Fail(item, e));
        }
    }

    // A server that goes down, or ends the connection, may have committed before it says so.
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
            // The connection is broken, and its transaction over with it.
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

    // What is not done goes back to where it came from, before all that came after it.
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

    // Under the gate. A conversation whose rows somebody else holds delays itself alone.
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

        /// <summary>How many are not done yet: who waits here, and who is in a batch on its way.</summary>
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

        /// <summary>Whether it is written without others: it has to be, or failed in company.</summary>
        public bool Alone { get; set; } = change.GoesAlone;

        public int Failures { get; set; }
    }
}
