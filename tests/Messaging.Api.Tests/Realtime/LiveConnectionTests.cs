using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Messaging.Api.Realtime;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Messaging.Api.Tests.Realtime;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LiveConnectionTests
{
    private readonly Wire wire = new();

    [Test]
    public async Task Events_are_written_one_after_the_other()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: false);

        OfferAll(connection, 1, 500);

        await wire.HasAsync(500);
        Assert.That(wire.Written, Is.EqualTo(Enumerable.Range(1, 500).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_connection_that_cannot_keep_up_is_closed_and_hears_nothing_after_the_gap()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: false);
        wire.Stop();

        OfferAll(connection, 1, LiveConnection.Capacity + 2);
        Assert.That(wire.IsCloseRequested, Is.True);
        wire.GoOn();
        OfferAll(connection, 10_000, 1);

        await wire.HasAsync(1);
        Assert.That(wire.Written, Is.EqualTo((string[])["1"]));
    }

    [Test]
    public async Task Live_events_wait_for_the_end_of_a_replay_and_what_it_told_is_not_told_again()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: false);
        await connection.TryBeginReplayAsync();
        OfferAll(connection, 1, 3);

        Assert.That(connection.TryEndReplay(2), Is.False, "the third was offered");
        Assert.That(connection.TryEndReplay(5), Is.True);
        OfferAll(connection, 4, 3);

        await wire.HasAsync(1);
        Assert.That(wire.Written, Is.EqualTo((string[])["6"]));
    }

    [Test]
    public async Task A_replay_begins_after_the_live_event_that_is_being_written()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: false);
        wire.Stop();
        OfferAll(connection, 1, 2);
        await wire.IsWritingAsync();

        var begin = connection.TryBeginReplayAsync();
        Assert.That(begin.IsCompleted, Is.False);
        wire.GoOn();

        Assert.That(await begin, Is.True);
        Assert.That(wire.Written, Is.EqualTo((string[])["1"]));
    }

    [Test]
    public async Task One_replay_at_a_time()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: false);

        Assert.That(await connection.TryBeginReplayAsync(), Is.True);
        Assert.That(await connection.TryBeginReplayAsync(), Is.False);
    }

    [Test]
    public async Task A_resume_waits_until_the_connection_has_caught_up_from_its_first_cursor()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: true);
        wire.Stop();
        connection.CatchUp(CatchUpAsync(connection));
        await wire.IsWritingAsync();

        var resume = connection.TryBeginReplayAsync();
        Assert.That(resume.IsCompleted, Is.False);
        wire.GoOn();

        Assert.That(await resume, Is.True);
        Assert.That(wire.Written, Is.EqualTo((string[])["missed"]));
    }

    private static async IAsyncEnumerable<HubMessage> CatchUpAsync(LiveConnection connection, [EnumeratorCancellation] CancellationToken ct = default)
    {
        yield return Message("missed");
        await Task.Yield();
        ct.ThrowIfCancellationRequested();
        connection.TryEndReplay(1);
    }

    private static void OfferAll(LiveConnection connection, int from, int count)
    {
        foreach (var position in Enumerable.Range(from, count))
            connection.Offer(position, new SerializedHubMessage(Message($"{position}")));
    }

    private static InvocationMessage Message(string id) =>
        LiveConnections.MessageOf(new EventEnvelope(id, "test:event", null, null, Instant.MinValue, new JsonText("{}")));

    /// <summary>A connection whose writes can be held up.</summary>
    private sealed class Wire : HubConnectionContext, IConnectionLifetimeNotificationFeature
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
            WriteAsync(((EventEnvelope)((InvocationMessage)message).Arguments[0]!).Id);

        public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default) =>
            WriteAsync(message.Message!, cancellationToken);

        private async ValueTask WriteAsync(string id)
        {
            writing.TrySetResult();
            await open.Task;
            written.Enqueue(id);
        }
    }
}
