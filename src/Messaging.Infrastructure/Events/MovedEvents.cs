using Messaging.Application.Events;

namespace Messaging.Infrastructure.Events;

/// <summary>Events with the positions that they have just been given.</summary>
/// <param name="After">The end of the feed before them.</param>
public sealed record MovedBatch(FeedCursor After, IReadOnlyList<FeedRow> Rows);

/// <summary>
/// Passes the events that this node's sequencer has moved to its reader, which then need not read them from the feed. Events that do not
/// continue what the reader has are left out: they are in the feed.
/// </summary>
public sealed class MovedEvents
{
    private const int Capacity = 4 * OutboxMover.BatchSize;

    private readonly Lock gate = new();
    private readonly Queue<MovedBatch> batches = [];
    private int count;
    private bool isRead;

    public void Add(MovedBatch batch)
    {
        lock (gate)
        {
            if (!isRead)
                return;
            if (count + batch.Rows.Count > Capacity)
                Clear();
            batches.Enqueue(batch);
            count += batch.Rows.Count;
        }
    }

    /// <summary>The events after the cursor; null if they have to be read from the feed.</summary>
    public IReadOnlyList<FeedRow>? Take(FeedCursor after)
    {
        lock (gate)
        {
            isRead = true;
            while (batches.TryPeek(out var batch) && batch.After != after)
                Remove();
            return batches.Count > 0 ? Remove().Rows : null;
        }
    }

    /// <summary>Keeps nothing, because nobody listens.</summary>
    public void Stop()
    {
        lock (gate)
        {
            isRead = false;
            Clear();
        }
    }

    private MovedBatch Remove()
    {
        var batch = batches.Dequeue();
        count -= batch.Rows.Count;
        return batch;
    }

    private void Clear()
    {
        batches.Clear();
        count = 0;
    }
}
