using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Tests.Conversations;

/// <summary>What is one's own in a conversation: settings, what one sees, what counts as unread.</summary>
public sealed class OwnStateTests : SliceFixture
{
    private static readonly Instant ForEver = Instant.FromUtc(9999, 12, 31, 23, 59, 59);

    [Test]
    public async Task An_archived_conversation_comes_back_with_the_next_message_unless_it_is_muted()
    {
        var (ada, bob, id) = await PairAsync();

        await SetAsync(bob, id, new SettingsChange { Archived = new(true) });
        var archived = await InboxAsync(bob, InboxFilter.Archived);
        await Slices.TextAsync(ada, id);
        var back = await InboxAsync(bob, InboxFilter.All);
        await SetAsync(bob, id, new SettingsChange { Archived = new(true), MutedUntil = new(ForEver) });
        await Slices.TextAsync(ada, id);

        Assert.That(archived, Does.Contain(id));
        Assert.That(back, Does.Contain(id));
        Assert.That(await InboxAsync(bob, InboxFilter.All), Does.Not.Contain(id));
        Assert.That(await InboxAsync(ada, InboxFilter.All), Does.Contain(id));
    }

    [Test]
    public async Task Settings_that_are_patched_at_once_are_all_kept()
    {
        var (_, bob, id) = await PairAsync();

        await Task.WhenAll(
            Task.Run(() => SetAsync(bob, id, new SettingsChange { Starred = new(true) })),
            Task.Run(() => SetAsync(bob, id, new SettingsChange { CustomLabel = new("The parcel") })),
            Task.Run(() => SetAsync(bob, id, new SettingsChange { Draft = new("Dear …") })),
            Task.Run(() => SetAsync(bob, id, new SettingsChange { NotificationLevel = new(NotificationLevel.Mentions) })));

        var me = (await Slices.ViewAsync(bob, id)).Me!;
        Assert.That(
            (me.Starred, me.CustomLabel, me.Draft, me.NotificationLevel),
            Is.EqualTo((true, "The parcel", "Dear …", NotificationLevel.Mentions)));
        Assert.That(await InboxAsync(bob, InboxFilter.Starred), Is.EqualTo(new[] { id }));
        var cleared = await SetAsync(
            bob, id, new SettingsChange { CustomLabel = new(null), NotificationLevel = new((NotificationLevel?)null) });
        Assert.That(
            (cleared.CustomLabel, cleared.NotificationLevel, cleared.Draft), Is.EqualTo(((string?)null, NotificationLevel.All, "Dear …")));
    }

    [Test]
    public async Task A_mute_ends_by_itself()
    {
        var (_, bob, id) = await PairAsync();
        await SetAsync(bob, id, new SettingsChange { MutedUntil = new(SystemClock.Instance.GetCurrentInstant() + Duration.FromHours(1)) });
        var muted = await Slices.SendAsync(new GetUnread(new Actor(bob)));

        await Slices.ExecuteAsync(
            "UPDATE participants SET muted_until = now() - interval '1 second' WHERE user_id = @Bob", new { Bob = bob.Value });

        Assert.That((muted.Messages, muted.Muted.Messages), Is.EqualTo((0, 1)));
        Assert.That((await Slices.SendAsync(new GetUnread(new Actor(bob)))).Messages, Is.EqualTo(1));
        Assert.That((await Slices.ViewAsync(bob, id)).Me!.MutedUntil, Is.Null);
    }

    [Test]
    public async Task Clearing_empties_ones_own_view_and_leaves_the_others()
    {
        var (ada, bob, id) = await PairAsync();

        await Slices.SendAsync(new ClearHistory(new Actor(bob), id, LeavesInbox: false));

        Assert.That(await HistoryAsync(bob, id), Is.Empty);
        Assert.That((await Slices.ViewAsync(bob, id)).LastMessage, Is.Null);
        Assert.That((await Slices.SendAsync(new GetUnread(new Actor(bob)))).Messages, Is.Zero);
        Assert.That(await InboxAsync(bob, InboxFilter.All), Does.Contain(id));
        Assert.That(await HistoryAsync(ada, id), Has.Count.EqualTo(1));
        await Slices.TextAsync(ada, id, "again");
        Assert.That((await HistoryAsync(bob, id)).Select(m => m.Text), Is.EqualTo(new[] { "again" }));
    }

    [Test]
    public async Task A_cleared_conversation_comes_back_with_the_next_message_and_without_the_old_ones()
    {
        var (ada, bob, id) = await PairAsync();

        await Slices.SendAsync(new ClearHistory(new Actor(bob), id, LeavesInbox: true));
        var without = await InboxAsync(bob, InboxFilter.All);
        await Slices.TextAsync(ada, id);

        Assert.That(without, Does.Not.Contain(id));
        Assert.That(await InboxAsync(bob, InboxFilter.All), Does.Contain(id));
        Assert.That(await HistoryAsync(bob, id), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Marking_unread_counts_from_that_message_on_but_never_ones_own()
    {
        var (ada, bob, id) = await PairAsync();
        await Slices.TextAsync(bob, id);
        await Slices.TextAsync(ada, id);
        await Slices.TextAsync(bob, id);

        var state = await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 1));

        Assert.That((state.LastReadSeq, state.UnreadCount), Is.EqualTo((0L, 2L)));
        Assert.That((await Slices.SendAsync(new MarkRead(new Actor(bob), id, 2))).UnreadCount, Is.EqualTo(1));
        Assert.That((await ProblemAsync(() => Slices.SendAsync(new MarkUnread(new Actor(bob), id, 5)))).Member, Is.EqualTo("seq"));
    }

    [Test]
    public async Task Marking_unread_while_one_sends_never_counts_what_one_sent()
    {
        var (_, bob, id) = await PairAsync();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            if (i % 4 == 0)
                await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 1));
            else
                await Slices.TextAsync(bob, id);
        })));
        await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 1));

        Assert.That((await Slices.ViewAsync(bob, id)).Me!.UnreadCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Delivery_moves_forward_only_and_reading_implies_it()
    {
        var (ada, bob, id) = await PairAsync();
        await Slices.TextAsync(ada, id);

        var delivered = await Slices.SendAsync(new MarkDelivered(new Actor(bob), id, null));
        await Slices.SendAsync(new MarkDelivered(new Actor(bob), id, 1));

        Assert.That(delivered, Is.EqualTo(new PointerState(0, 2, 2, 0)));
        Assert.That((await Slices.ViewAsync(bob, id)).Me!.LastDeliveredSeq, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_hides_receipts_shows_no_pointer_and_tells_no_one_of_reading()
    {
        var (ada, bob, id) = await PairAsync();
        await SetAsync(bob, id, new SettingsChange { ShowReadReceipts = new(false) });

        await Slices.SendAsync(new MarkRead(new Actor(bob), id, null));

        var seen = (await Slices.ViewAsync(ada, id)).Participants.Single(p => p.UserId == bob);
        Assert.That((seen.LastReadSeq, seen.LastDeliveredSeq), Is.EqualTo(((long?)null, 1L)));
        Assert.That((await HistoryAsync(ada, id)).Select(m => (m.DeliveredCount, m.ReadCount)), Is.EqualTo(new[] { (1, 0) }));
        Assert.That(
            await Slices.ScalarAsync<string>(
                "SELECT user_id FROM outbox WHERE type = 'message:read' AND conversation_id = @Id", new { Id = id.Value }),
            Is.EqualTo(bob.Value));
    }

    [Test]
    public async Task Nothing_of_it_is_a_strangers()
    {
        var (_, _, id) = await PairAsync();
        var eve = new Actor(await Slices.UserAsync());

        foreach (var request in (Func<Task>[])
        [
            () => Slices.SendAsync(new UpdateSettings(eve, id, new SettingsChange { Starred = new(true) })),
            () => Slices.SendAsync(new ClearHistory(eve, id, LeavesInbox: true)),
            () => Slices.SendAsync(new MarkUnread(eve, id, 1)),
            () => Slices.SendAsync(new MarkDelivered(eve, id, 1)),
        ])
            Assert.That(await RefusalAsync(request), Is.EqualTo(ProblemCodes.NotFound));
    }

    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> PairAsync()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.DirectAsync(ada, bob);
        await Slices.TextAsync(ada, id);
        return (ada, bob, id);
    }

    private Task<SettingsView> SetAsync(UserId user, ConversationId id, SettingsChange change) =>
        Slices.SendAsync(new UpdateSettings(new Actor(user), id, change));

    private async Task<IReadOnlyList<MessageView>> HistoryAsync(UserId user, ConversationId id) =>
        (await Slices.SendAsync(new ListMessages(new Actor(user), id, null, null, null, 100))).Items;

    private async Task<IEnumerable<ConversationId>> InboxAsync(UserId user, InboxFilter filter) =>
        (await Slices.SendAsync(new ListInbox(new Actor(user), filter, null, null, null, null, 30))).Items.Select(c => c.Id);
}
