using System.Collections.Concurrent;
using Messaging.Api.Realtime;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Application.Revocations;

namespace Messaging.Api.Tests.Realtime;

/// <summary>A connection whose writes can be held up.</summary>
internal sealed class Wire : ILiveWire
{
    private readonly ConcurrentQueue<string> written = new();
    private readonly TaskCompletionSource writing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Wire() => GoOn();

    public CancellationToken Aborted => CancellationToken.None;

    public Credential? Credential => null;

    public IReadOnlyCollection<string> Written => written;

    public bool IsCloseRequested { get; private set; }

    public void RequestClose() => IsCloseRequested = true;

    public void Stop() => open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void GoOn() => open.TrySetResult();

    public Task IsWritingAsync() => writing.Task.WaitAsync(TimeSpan.FromSeconds(10));

    public async Task HasAsync(int count)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (written.Count < count)
            await timer.WaitForNextTickAsync(patience.Token);
    }

    public ValueTask WriteAsync(LiveEvent told, CancellationToken ct) =>
        WriteAsync(told.Envelope switch
        {
            EventEnvelope stored => stored.Id,
            EphemeralEnvelope { Data: DrainingNotice notice } => $"{notice.ReconnectInMs}",
            EphemeralEnvelope { Data: PresenceView view } => $"{view.UserId} {view.Status}",
            EphemeralEnvelope passing => passing.Type,
            _ => "",
        });

    private async ValueTask WriteAsync(string id)
    {
        writing.TrySetResult();
        await open.Task;
        written.Enqueue(id);
    }
}
