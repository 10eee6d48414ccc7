using System.Diagnostics;
using System.Runtime.CompilerServices;
using Messaging.Api.Auth;
using Messaging.Application.Events;
using Messaging.Application.Revocations;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Messaging.Api.Realtime;

/// <summary>
/// What one hub connection hears, in order and complete: events as they happen, written one after the other, or a replay of the feed
/// during which they wait. What it cannot take it is closed for; its client resumes.
/// </summary>
public sealed class LiveConnection(HubConnectionContext connection, bool beginsWithReplay) : ILiveConnection
{
    /// <summary>Events that may wait to be written: what a healthy client takes in its stride after a pause of the feed.</summary>
    public const int Capacity = 5_000;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromMilliseconds(100);

    // Of each envelope once, however many connections hear it.
    private static readonly ConditionalWeakTable<EphemeralEnvelope, SerializedHubMessage> Serialized = [];

    private readonly Lock gate = new();
    private readonly Queue<(SerializedHubMessage Message, bool IsStored)> queue = new();
    private Task writing = Task.CompletedTask;
    private Task catchingUp = Task.CompletedTask;
    private bool isWriting;
    private bool isReplaying = beginsWithReplay;
    private bool isClosing;
    private volatile bool hasEnded;
    private int calls;
    private long calledAt;
    private long offered;
    private long told;

    public CancellationToken Aborted => connection.ConnectionAborted;

    /// <summary>What it was opened with.</summary>
    public Credential? Credential { get; init; } = connection.User.Credential();

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
    public void Offer(long position, SerializedHubMessage message)
    {
        lock (gate)
        {
            offered = position;
            if (isReplaying || isClosing || position <= told)
                return;
            if (queue.Count < Capacity)
            {
                Enqueue(message, isStored: true);
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
        var message = Serialized.GetValue(envelope, _ => new SerializedHubMessage(LiveConnections.MessageOf(envelope)));
        lock (gate)
        {
            if (!isClosing && queue.Count < Capacity)
                Enqueue(message, isStored: false);
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
            told = position;
            isReplaying = false;
            return true;
        }
    }

    /// <summary>Has a replay that has begun be told as live events are.</summary>
    public void CatchUp(IAsyncEnumerable<HubMessage> replay) => catchingUp = Task.Run(async () =>
    {
        await foreach (var message in replay)
            await connection.WriteAsync(message, Aborted);
    });

    /// <summary>Says goodbye so that the client connects anew; what is stuck is cut off by the transport's time-out.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (isClosing)
                return;
            isClosing = true;
            queue.Clear();
        }
        connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }

    /// <summary>Closes it because what it was opened with is good no more.</summary>
    public void End()
    {
        hasEnded = true;
        Close();
    }

    private void Enqueue(SerializedHubMessage message, bool isStored)
    {
        queue.Enqueue((message, isStored));
        if (isWriting)
            return;
        isWriting = true;
        writing = Task.Run(WriteQueueAsync);
    }

    private async Task WriteQueueAsync()
    {
        while (Next() is { } message)
            await connection.WriteAsync(message, Aborted);
    }

    private SerializedHubMessage? Next()
    {
        lock (gate)
        {
            if (queue.TryDequeue(out var waiting))
                return waiting.Message;
            isWriting = false;
            return null;
        }
    }
}
