using System.Collections.Concurrent;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Messaging.Api.Tests.Realtime;

/// <summary>A connection whose writes can be held up.</summary>
internal sealed class Wire : HubConnectionContext, IConnectionLifetimeNotificationFeature
{
    private readonly ConcurrentQueue<string> written = new();
    private readonly TaskCompletionSource writing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Wire()
        : base(new DefaultConnectionContext(), new HubConnectionContextOptions(), NullLoggerFactory.Instance)
    {
        Features.Set<IConnectionLifetimeNotificationFeature>(this);
        GoOn();
    }

    public IReadOnlyCollection<string> Written => written;

    public bool IsCloseRequested { get; private set; }

    public CancellationToken ConnectionClosedRequested { get; set; }

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

    public override ValueTask WriteAsync(HubMessage message, CancellationToken cancellationToken = default) =>
        WriteAsync(((InvocationMessage)message).Arguments[0] switch
        {
            EventEnvelope stored => stored.Id,
            EphemeralEnvelope { Data: PresenceView view } => $"{view.UserId} {view.Status}",
            EphemeralEnvelope passing => passing.Type,
            _ => "",
        });

    public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default) =>
        WriteAsync(message.Message!, cancellationToken);

    private async ValueTask WriteAsync(string id)
    {
        writing.TrySetResult();
        await open.Task;
        written.Enqueue(id);
    }
}
