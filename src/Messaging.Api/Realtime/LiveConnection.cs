using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Messaging.Api.Realtime;

/// <summary>
/// What one hub connection hears, in order and complete: events as they happen, written one after the other, or a replay of the feed
/// during which they wait. What it cannot take it is closed for; its client resumes.
/// </summary>
public sealed class LiveConnection(HubConnectionContext connection, bool beginsWithReplay)
{
    /// <summary>Events that may wait to be written.</summary>
    public const int Capacity = 1_000;

    private readonly Lock gate = new();
    private readonly Queue<SerializedHubMessage> queue = new();
    private Task writing = Task.CompletedTask;
    private Task catchingUp = Task.CompletedTask;
    private bool isWriting;
    private bool isReplaying = beginsWithReplay;
    private bool isClosing;
    private long offered;
    private long told;

    public CancellationToken Aborted => connection.ConnectionAborted;

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
                queue.Enqueue(message);
                if (isWriting)
                    return;
                isWriting = true;
                writing = Task.Run(WriteQueueAsync);
                return;
            }
        }
        Close();
    }

    /// <summary>Holds live events back and waits until the last one is on its way; false when a replay runs already.</summary>
    public async Task<bool> TryBeginReplayAsync()
    {
        await catchingUp;
        lock (gate)
        {
            if (isReplaying)
                return false;
            isReplaying = true;
            queue.Clear();
        }
        await writing;
        return true;
    }

    /// <summary>Lets live events go on behind a replay that told everything up to the position; false when there was more meanwhile.</summary>
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

    /// <summary>Has a replay that has begun be told as live events are. Closes the connection when that fails.</summary>
    public void CatchUp(IAsyncEnumerable<HubMessage> replay) => catchingUp = Task.Run(async () =>
    {
        try
        {
            await foreach (var message in replay.WithCancellation(Aborted))
                await connection.WriteAsync(message, Aborted);
        }
        catch
        {
            Close();
        }
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

    private async Task WriteQueueAsync()
    {
        while (Next() is { } message)
            await connection.WriteAsync(message, Aborted);
    }

    private SerializedHubMessage? Next()
    {
        lock (gate)
        {
            if (queue.TryDequeue(out var message))
                return message;
            isWriting = false;
            return null;
        }
    }
}
