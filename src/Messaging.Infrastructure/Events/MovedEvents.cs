using Messaging.Application.Events;

namespace Messaging.Infrastructure.Events;

/// <summary>Events as they were given their positions.</summary>
/// <param name="After">The end of the feed before them.</param>
public sealed record MovedBatch(FeedCursor After, IReadOnlyList<FeedRow> Rows);

/// <summary>
/// Hands what this node's sequencer has moved to its reader, which need not read it from the feed. What does not follow on what the reader
/// has is left out: it is in the feed.
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

    /// <summary>What follows on the cursor; null where that has to be read from the feed.</summary>
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

    /// <summary>Nobody listens: nothing is kept.</summary>
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
