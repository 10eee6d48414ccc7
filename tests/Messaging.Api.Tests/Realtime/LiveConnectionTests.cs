using System.Runtime.CompilerServices;
using Messaging.Api.Realtime;
using Messaging.Application.Common;
using Messaging.Application.Events;
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

        OfferAll(connection, 1, 1);
        await wire.IsWritingAsync();
        OfferAll(connection, 2, LiveConnection.Capacity + 1);
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
    public async Task Transient_events_are_sent_during_a_replay_and_dropped_when_there_is_no_room()
    {
        var connection = new LiveConnection(wire, beginsWithReplay: true);
        connection.Push(Passing());
        await wire.HasAsync(1);
        wire.Stop();

        for (var i = 0; i < LiveConnection.Capacity + 10; i++)
            connection.Push(Passing());

        Assert.That(wire.Written, Is.EqualTo((string[])["typing"]));
        Assert.That(wire.IsCloseRequested, Is.False);
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

    private static async IAsyncEnumerable<EventEnvelope> CatchUpAsync(
        LiveConnection connection, [EnumeratorCancellation] CancellationToken ct = default)
    {
        yield return Envelope("missed");
        await Task.Yield();
        ct.ThrowIfCancellationRequested();
        connection.TryEndReplay(1);
    }

    private static void OfferAll(LiveConnection connection, int from, int count)
    {
        foreach (var position in Enumerable.Range(from, count))
            connection.Offer(position, new LiveEvent(Envelope($"{position}")));
    }

    private static EphemeralEnvelope Passing() => new("typing", null, Instant.MinValue, new object());

    private static EventEnvelope Envelope(string id) => new(id, "test:event", null, null, Instant.MinValue, new JsonText("{}"));
}
