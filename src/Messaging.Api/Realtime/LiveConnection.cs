using System.Diagnostics;
using System.Runtime.CompilerServices;
using Messaging.Application.Events;
using Messaging.Application.Revocations;

namespace Messaging.Api.Realtime;

/// <summary>
/// What one connection hears, in order and complete: events as they happen, written one after the other, or a replay of the feed
/// during which they wait. What it cannot take it is closed for; its client resumes.
/// </summary>
public sealed class LiveConnection(ILiveWire wire, bool beginsWithReplay) : ILiveConnection
{
    /// <summary>Events that may wait to be written: what a healthy client takes in its stride after a pause of the feed.</summary>
    public const int Capacity = 5_000;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromMilliseconds(100);

    // Of each envelope once, however many connections hear it.
    private static readonly ConditionalWeakTable<EphemeralEnvelope, LiveEvent> Passing = [];

    private readonly Lock gate = new();
    private readonly Queue<(LiveEvent Told, bool IsStored)> queue = new();
    private Task writing = Task.CompletedTask;
    private Task catchingUp = Task.CompletedTask;
    private bool isWriting;
    private bool isReplaying = beginsWithReplay;
    private bool isClosing;
    private volatile bool hasEnded;
    private int calls;
    private long calledAt;
    private long offered;
    private long replayed;

    public CancellationToken Aborted => wire.Aborted;

    /// <summary>What it was opened with.</summary>
    public Credential? Credential { get; init; } = wire.Credential;

    /// <summary>Whether it is on its way out, so that nothing more is told.</summary>
    public bool IsClosing => Volatile.Read(ref isClosing);

    /// <summary>Whether calls that are on their way are refused, too.</summary>
    public bool HasEnded => hasEnded;

    /// <summary>Whether no call is under way, and the answer of the last one has had time to be written.</summary>
    public bool IsIdle => Volatile.Read(ref calls) == 0 && Stopwatch.GetElapsedTime(Volatile.Read(ref calledAt)) >= AnswerTime;

    public void BeginCall() => Interlocked.Increment(ref calls);

    public void EndCall()
    {
        Volatile.Write(ref calledAt, Stopwatch.GetTimestamp());
        Interlocked.Decrement(ref calls);
    }

    /// <summary>An event that just happened. Never waits; while a replay runs it is left to that, which reads up to it.</summary>
    public void Offer(long position, LiveEvent told)
    {
        lock (gate)
        {
            offered = position;
            if (isReplaying || isClosing || position <= replayed)
                return;
            if (queue.Count < Capacity)
            {
                Enqueue(told, isStored: true);
                return;
            }
        }
        Close();
    }

    /// <summary>
    /// An event that is stored nowhere and has no place among the others: a replay does not hold it up, and where there is no room it is
    /// dropped.
    /// </summary>
    public void Push(EphemeralEnvelope envelope)
    {
        var told = Passing.GetValue(envelope, _ => new LiveEvent(envelope));
        lock (gate)
        {
            if (!isClosing && queue.Count < Capacity)
                Enqueue(told, isStored: false);
        }
    }

    /// <summary>Holds live events back and waits until the last one is on its way; false when a replay runs already.</summary>
    public async Task<bool> TryBeginReplayAsync()
    {
        await catchingUp.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            if (isReplaying)
                return false;
            isReplaying = true;
            var passing = queue.Where(waiting => !waiting.IsStored).ToList();
            queue.Clear();
            passing.ForEach(queue.Enqueue);
        }
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    /// <summary>
    /// Lets live events go on behind a replay that told everything up to the position; false when there was more meanwhile.
    /// </summary>
    public bool TryEndReplay(long position)
    {
        lock (gate)
        {
            if (offered > position)
                return false;
            replayed = position;
            isReplaying = false;
            return true;
        }
    }

    /// <summary>Has a replay that has begun be told as live events are.</summary>
    public void CatchUp(IAsyncEnumerable<EventEnvelope> replay) => catchingUp = Task.Run(async () =>
    {
        await foreach (var envelope in replay)
            await wire.WriteAsync(new LiveEvent(envelope), Aborted);
    });

    /// <summary>Says goodbye so that the client connects anew.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (isClosing)
                return;
            isClosing = true;
            queue.Clear();
        }
        wire.RequestClose();
    }

    /// <summary>Closes it because what it was opened with is good no more.</summary>
    public void End()
    {
        hasEnded = true;
        Close();
    }

    private void Enqueue(LiveEvent told, bool isStored)
    {
        queue.Enqueue((told, isStored));
        if (isWriting)
            return;
        isWriting = true;
        writing = Task.Run(WriteQueueAsync);
    }

    private async Task WriteQueueAsync()
    {
        while (Next() is { } told)
            await wire.WriteAsync(told, Aborted);
    }

    private LiveEvent? Next()
    {
        lock (gate)
        {
            if (queue.TryDequeue(out var waiting))
                return waiting.Told;
            isWriting = false;
            return null;
        }
    }
}
