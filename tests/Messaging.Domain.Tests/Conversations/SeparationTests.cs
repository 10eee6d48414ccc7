using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Domain.Tests.Conversations;

namespace Messaging.Domain.Tests.Conversations;

/// <summary>What becomes of a direct conversation when its two stand otherwise to each other.</summary>
public sealed class SeparationTests
{
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public void Parting_keeps_from_each_how_far_the_other_one_comes()
    {
        var (talk, ada, bob) = (Talk(), Of(Ada, read: 3, delivered: 4), Of(Bob, read: 2, delivered: 5, showsReads: false));

        Assert.That((talk.Block([ada, bob]), talk.IsBlocked, talk.Version), Is.EqualTo((true, true, 4)));
        Assert.That((ada.Shown, bob.Shown), Is.EqualTo((new ShownPointers(3, 4), new ShownPointers(null, 5))));
    }

    [Test]
    public void Who_are_parted_already_stay_so_with_what_was_shown()
    {
        var (talk, ada) = (Talk(blocked: true), Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2)));

        Assert.That((talk.Block([ada]), talk.Version, ada.Shown), Is.EqualTo((false, 3, new ShownPointers(1, 2))));
    }

    [Test]
    public void Parting_while_a_first_message_waits_leaves_what_was_shown()
    {
        var (talk, ada) = (Talk(request: RequestState.Pending), Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2)));

        Assert.That((talk.Block([ada]), ada.Shown), Is.EqualTo((true, new ShownPointers(1, 2))));
    }

    [Test]
    public void Who_join_again_are_told_how_far_the_other_one_has_come_and_who_has_not_moved_is_not_told_of()
    {
        var (talk, ada) = (Talk(blocked: true), Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2)));
        var bob = Of(Bob, read: 3, delivered: 3, shown: new ShownPointers(3, 3));

        Assert.That(
            talk.Unblock([ada, bob]), Is.EqualTo(new[] { new UnseenMoves(Ada, 5, false, 5), new UnseenMoves(Bob, null, false, null) }));
        Assert.That(
            (talk.IsBlocked, talk.Version, ada.Shown, bob.Shown), Is.EqualTo((false, 4, (ShownPointers?)null, (ShownPointers?)null)));
    }

    [Test]
    public void A_pointer_that_moved_back_meanwhile_is_told_as_such()
    {
        var ada = Of(Ada, read: 1, delivered: 5, shown: new ShownPointers(4, 5));

        Assert.That(Talk(blocked: true).Unblock([ada]), Is.EqualTo(new[] { new UnseenMoves(Ada, 1, true, null) }));
    }

    [Test]
    public void Who_hides_how_far_one_reads_is_told_of_as_receiving_alone()
    {
        var ada = Of(Ada, read: 5, delivered: 5, showsReads: false, shown: new ShownPointers(1, 2));

        Assert.That(Talk(blocked: true).Unblock([ada]), Is.EqualTo(new[] { new UnseenMoves(Ada, null, false, 5) }));
    }

    [Test]
    public void Who_hides_it_no_more_is_told_of()
    {
        var ada = Of(Ada, read: 1, delivered: 2, shown: new ShownPointers(null, 2));

        Assert.That(Talk(blocked: true).Unblock([ada]), Is.EqualTo(new[] { new UnseenMoves(Ada, 1, false, null) }));
    }

    [Test]
    public void Where_receipts_are_not_told_they_see_each_other_again_untold()
    {
        var talk = Talk(blocked: true, receipts: false);
        var ada = Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2));

        Assert.That((talk.Unblock([ada]).Count, ada.Shown), Is.EqualTo((0, (ShownPointers?)null)));
    }

    [Test]
    public void While_a_first_message_waits_a_block_that_is_lifted_shows_nothing()
    {
        var talk = Talk(blocked: true, request: RequestState.Pending);
        var ada = Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2));

        Assert.That((talk.Unblock([ada]).Count, talk.IsBlocked, ada.Shown), Is.EqualTo((0, false, new ShownPointers(1, 2))));
    }

    [Test]
    public void Who_are_not_parted_do_not_join()
    {
        var talk = Talk();

        Assert.That((talk.Unblock([Of(Ada), Of(Bob)]).Count, talk.Version), Is.EqualTo((0, 3)));
    }

    [Test]
    public void A_first_message_waits_for_its_receiver_and_its_sender_has_read_it()
    {
        var (talk, ada, bob) = (Talk(request: RequestState.Unsent), Of(Ada, hasOpened: true), Of(Bob));

        ada.Pointers.Sent(6);
        talk.BeginRequest(bob, [ada, bob]);

        Assert.That((talk.Request, talk.Version), Is.EqualTo((RequestState.Pending, 4)));
        Assert.That((ada.IsPending, ada.Shown, bob.IsPending, bob.Shown),
            Is.EqualTo((false, new ShownPointers(6, 6), true, new ShownPointers(0, 0))));
    }

    [Test]
    public void Opening_shows_it_to_who_had_to_accept_it_and_their_pointers_to_both()
    {
        var talk = Talk(request: RequestState.Pending);
        var (ada, bob) = (Of(Ada, hasOpened: true, shown: new ShownPointers(1, 1)),
            Of(Bob, isPending: true, shown: new ShownPointers(0, 0)));

        Assert.That(talk.Open([ada, bob]), Is.EqualTo(new[] { Bob }));
        Assert.That((talk.Request, talk.Version, bob.IsPending), Is.EqualTo(((RequestState?)null, 4, false)));
        Assert.That((ada.Shown, bob.Shown), Is.EqualTo(((ShownPointers?)null, (ShownPointers?)null)));
    }

    [TestCase(0, ExpectedResult = "bob")]
    [TestCase(1, ExpectedResult = "")]
    public string Of_what_was_opened_and_not_written_to_the_other_one_hears_now_and_of_what_was_written_to_has_heard(long lastSeq) =>
        string.Join(' ', Talk(request: RequestState.Unsent, lastSeq: lastSeq).Open([Of(Ada, hasOpened: true), Of(Bob)]));

    [Test]
    public void An_open_conversation_is_not_opened_again()
    {
        var talk = Talk();

        Assert.That((talk.Open([Of(Ada), Of(Bob)]).Count, talk.Version), Is.EqualTo((0, 3)));
    }

    [Test]
    public void Opening_across_a_block_shows_no_pointers()
    {
        var ada = Of(Ada, read: 5, delivered: 5, shown: new ShownPointers(1, 2));

        Talk(blocked: true, request: RequestState.Pending).Open([ada, Of(Bob, isPending: true)]);

        Assert.That(ada.Shown, Is.EqualTo(new ShownPointers(1, 2)));
    }

    private static Conversation Talk(bool blocked = false, RequestState? request = null, bool receipts = true, long lastSeq = 5) =>
        ConversationTests.Restored(
            ConversationType.Direct, blocked: blocked, request: request, policy: ConversationTests.Defaults with { Receipts = receipts },
            lastSeq: lastSeq);

    private static Participant Of(
        UserId user, long read = 0, long delivered = 0, bool hasOpened = false, bool isPending = false, bool showsReads = true,
        ShownPointers? shown = null) => new(default, user, new ParticipantState(ParticipantRole.Member, default, JoinedSeq: 0)
        {
            LastReadSeq = read,
            LastDeliveredSeq = delivered,
            HasOpened = hasOpened,
            IsPending = isPending,
            Shown = shown,
            Own = OwnState.Unchanged with { ShowsReads = showsReads },
        });
}
