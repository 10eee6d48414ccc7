using Messaging.Api.Realtime;
using Messaging.Api.Tests.Realtime;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Infrastructure.Presence;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Api.Tests.Presence;

/// <summary>Two nodes in one process, whose words travel when the test says so.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LivePresenceTests
{
    private readonly ManualTime time = new();
    private readonly Network network = new();
    private readonly LivePresence here;
    private readonly LivePresence there;
    private readonly Wire watching = new();
    private readonly LiveConnection watcher;

    public LivePresenceTests()
    {
        here = new LivePresence(network.Join("here"), time, SystemClock.Instance);
        there = new LivePresence(network.Join("there"), time, SystemClock.Instance);
        watcher = new LiveConnection(watching, beginsWithReplay: false);
        here.Connect("watcher", watcher);
        here.Watch(watcher, [Seen("ada")], here.Revision);
    }

    [Test]
    public void Somebody_is_online_while_any_connection_lives()
    {
        var (phone, tablet) = (Connection(), Connection());
        here.Connect("ada", phone);
        here.Connect("ada", tablet);

        here.Disconnect(phone);
        Pass(LivePresence.Grace);

        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Online));
    }

    [Test]
    public void Somebody_is_away_when_all_connections_are_on_every_node()
    {
        var (phone, tablet) = (Connection(), Connection());
        here.Connect("ada", phone);
        there.Connect("ada", tablet);
        network.Deliver();

        here.SetAway(phone, true);
        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Online));
        there.SetAway(tablet, true);
        network.Deliver();

        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Away));
        here.SetAway(phone, false);
        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Online));
    }

    [Test]
    public async Task Offline_is_told_once_five_seconds_after_the_last_connection_ended()
    {
        var phone = Connection();
        here.Connect("ada", phone);
        here.Disconnect(phone);

        Pass(LivePresence.Grace - TimeSpan.FromMilliseconds(1));
        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Online));
        Pass(TimeSpan.FromMilliseconds(1));
        here.Sweep();

        await watching.HasAsync(2);
        Assert.That(watching.Written, Is.EqualTo((string[])["ada Online", "ada Offline"]));
        Assert.That(ViewOf("ada").LastSeenAt, Is.Not.Null);
    }

    [Test]
    public async Task A_connection_that_comes_back_in_time_tells_nothing_wherever_it_comes()
    {
        var phone = Connection();
        here.Connect("ada", phone);
        here.Disconnect(phone);
        Pass(TimeSpan.FromSeconds(4));
        there.Connect("ada", Connection());
        network.Deliver();
        Pass(LivePresence.Grace);

        here.Connect("bob", Connection());
        here.Watch(watcher, [Seen("ada"), Seen("bob"), Seen("carl")], here.Revision);
        here.Connect("carl", Connection());
        await watching.HasAsync(2);
        Assert.That(watching.Written, Is.EqualTo((string[])["ada Online", "carl Online"]));
    }

    [Test]
    public void A_node_that_was_cut_off_asks_for_what_it_missed()
    {
        network.Lose(() => Enumerable.Range(0, 200).ToList().ForEach(i => there.Connect($"user{i}", Connection())));
        Assert.That(StatusOf("user7"), Is.EqualTo(PresenceStatus.Offline));

        Pass(LivePresence.HeartbeatEvery);
        Pass(TimeSpan.Zero);

        Assert.That(Enumerable.Range(0, 200).Select(i => StatusOf($"user{i}")), Is.All.EqualTo(PresenceStatus.Online));
    }

    [Test]
    public void Who_left_while_a_node_was_cut_off_goes_there_too()
    {
        var phone = Connection();
        there.Connect("ada", phone);
        network.Deliver();
        network.Lose(() => there.Disconnect(phone));

        Pass(LivePresence.HeartbeatEvery);
        Pass(TimeSpan.Zero);
        Pass(LivePresence.Grace);

        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Offline));
    }

    [Test]
    public void A_new_node_learns_who_is_there_at_once()
    {
        there.Connect("ada", Connection());
        network.Deliver();
        var late = new LivePresence(network.Join("late"), time, SystemClock.Instance);

        network.Greet("late");
        network.Deliver();
        Pass(TimeSpan.Zero);

        Assert.That(late.Of([Seen("ada")])[0].Status, Is.EqualTo(PresenceStatus.Online));
    }

    [Test]
    public void A_silent_node_is_dropped_with_all_its_users()
    {
        there.Connect("ada", Connection());
        network.Deliver();

        network.Lose(() => Pass(LivePresence.Silence));
        network.Lose(() => Pass(LivePresence.Grace));

        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Offline));
    }

    [Test]
    public void A_node_that_says_goodbye_takes_its_users_with_it()
    {
        there.Connect("ada", Connection());
        network.Deliver();
        there.Leave();
        network.Deliver();

        Pass(LivePresence.Grace);

        Assert.That(StatusOf("ada"), Is.EqualTo(PresenceStatus.Offline));
    }

    [Test]
    public void Last_seen_is_written_once_a_minute_and_after_the_end()
    {
        var phone = Connection();
        here.Connect("ada", phone);
        Assert.That(here.TakeSeen().Keys, Does.Contain("ada"));
        here.Disconnect(phone);
        here.Connect("ada", phone);
        here.Disconnect(phone);

        Assert.That(here.TakeSeen(), Is.Empty, "a minute has not passed");
        Pass(LivePresence.SaveEvery);
        Assert.That(here.TakeSeen().Keys, Does.Contain("ada"));
        Pass(LivePresence.SaveEvery);
        Assert.That(here.TakeSeen().Keys, Does.Not.Contain("ada"));
    }

    [Test]
    public void Of_somebody_on_several_nodes_one_writes()
    {
        var (phone, tablet) = (Connection(), Connection());
        here.Connect("ada", phone);
        there.Connect("ada", tablet);
        network.Deliver();

        Assert.That(new[] { here, there }.Count(node => node.TakeSeen().ContainsKey("ada")), Is.EqualTo(1));
        here.Disconnect(phone);
        network.Deliver();
        Pass(LivePresence.SaveEvery);
        Assert.That((here.TakeSeen().ContainsKey("ada"), there.TakeSeen().ContainsKey("ada")), Is.EqualTo((false, true)));
    }

    [Test]
    public void A_node_that_stops_waits_for_no_minute()
    {
        here.Connect("ada", Connection());
        here.TakeSeen();

        Assert.That(here.TakeSeen(isLast: true).Keys, Does.Contain("ada"));
    }

    [Test]
    public void Users_seen_that_could_not_be_stored_are_taken_again()
    {
        here.Connect("ada", Connection());
        var seen = here.TakeSeen();

        here.GiveBack(seen);

        Assert.That(here.TakeSeen().Keys, Is.EquivalentTo(seen.Keys));
    }

    [Test]
    public void Nobody_is_remembered_for_ever()
    {
        var phones = Enumerable.Range(0, 1000).Select(_ => Connection()).ToList();
        for (var i = 0; i < phones.Count; i++)
            here.Connect($"user{i}", phones[i]);
        phones.ForEach(here.Disconnect);
        network.Deliver();

        Pass(LivePresence.SaveEvery);
        here.TakeSeen();
        Pass(2 * LivePresence.SaveEvery);
        here.TakeSeen();
        Pass(TimeSpan.Zero);

        Assert.That((here.Count, there.Count), Is.EqualTo((1, 1)), "the watcher alone");
    }

    [Test]
    public async Task A_watch_replaces_the_one_before_and_ends_with_what_was_checked_only()
    {
        var checkedSet = here.WatchSets().Single();
        here.Watch(watcher, [Seen("bob"), Seen("carl")], here.Revision);
        here.EndWatches(checkedSet, new HashSet<string> { "bob" });
        here.EndWatches(here.WatchSets().Single(), new HashSet<string> { "carl" });

        foreach (var user in (string[])["ada", "carl", "bob"])
            here.Connect(user, Connection());

        await watching.HasAsync(1);
        Assert.That(watching.Written, Is.EqualTo((string[])["bob Online"]));
    }

    [TestCase("watcher", "ada")]
    [TestCase("ada", "watcher")]
    public async Task A_block_by_either_ends_the_watch_as_it_is_told(string blocker, string blocked)
    {
        here.Watch(watcher, [Seen("ada"), Seen("bob")], here.Revision);

        here.Receive(BlockOf(blocked), position: 1, [blocker]);
        here.Connect("ada", Connection());
        here.Connect("bob", Connection());

        await watching.HasAsync(1);
        Assert.That(watching.Written, Is.EqualTo((string[])["bob Online"]));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_watch_that_was_asked_for_before_a_block_was_told_is_looked_at_again(bool isTold)
    {
        var asOf = here.Revision;
        if (isTold)
            here.Receive(BlockOf("ada"), position: 1, ["watcher"]);
        here.TakeToRecheck();

        here.Watch(watcher, [Seen("ada")], asOf);

        Assert.That(here.TakeToRecheck().Select(set => set.ViewerId), Is.EqualTo(isTold ? (string[])["watcher"] : []));
    }

    [Test]
    public void A_block_that_is_lifted_ends_no_watch()
    {
        here.Receive(BlockOf("ada", isBlocked: false), position: 1, ["watcher"]);

        Assert.That(here.WatchSets().Single().Watched, Is.EqualTo((string[])["ada"]));
    }

    [Test]
    public void Users_who_come_and_go_at_once_are_counted_right()
    {
        Parallel.For(0, 2000, i =>
        {
            var phone = Connection();
            here.Connect($"user{i % 10}", phone);
            here.SetAway(phone, i % 3 == 0);
            here.Disconnect(phone);
        });
        network.Deliver();

        Pass(LivePresence.Grace);

        Assert.That(Enumerable.Range(0, 10).Select(i => StatusOf($"user{i}")), Is.All.EqualTo(PresenceStatus.Offline));
    }

    // In steps in which nodes hear of each other.
    private void Pass(TimeSpan span)
    {
        for (; span > LivePresence.HeartbeatEvery; span -= LivePresence.HeartbeatEvery)
            Pass(LivePresence.HeartbeatEvery);
        time.Advance(span);
        here.Sweep();
        there.Sweep();
        network.Deliver();
    }

    private static EventEnvelope BlockOf(string user, bool isBlocked = true) => new(
        "1-1", BlockChanged.Name, ConversationId: null, Seq: null, SystemClock.Instance.GetCurrentInstant(),
        new JsonText($$"""{"userId":"{{user}}","blocked":{{(isBlocked ? "true" : "false")}}}"""));

    private PresenceView ViewOf(string user) => here.Of([Seen(user)])[0];

    private PresenceStatus StatusOf(string user) => ViewOf(user).Status;

    private static LastSeen Seen(string user) => new(new UserId(user), null);

    private static LiveConnection Connection() => new(new Wire(), beginsWithReplay: false);
}
