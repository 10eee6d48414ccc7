using Messaging.Domain.Participants;

namespace Messaging.Domain.Tests.Participants;

public sealed class PointersTests
{
    [Test]
    public void Reading_moves_forward_only_and_receives_too()
    {
        var pointers = Of(5, 6);

        Assert.That((pointers.Read(4, newest: 9), pointers.Read(20, newest: 9), pointers.LastReadSeq, pointers.LastDeliveredSeq),
            Is.EqualTo((false, true, 9, 9)));
    }

    [Test]
    public void Marking_as_unread_moves_back_and_leaves_what_was_received()
    {
        var pointers = Of(5, 6);

        Assert.That((pointers.MarkUnread(3, newest: 9), pointers.LastReadSeq, pointers.LastDeliveredSeq), Is.EqualTo((true, 2, 6)));
    }

    [Test]
    public void Marking_as_unread_behind_what_was_read_reads_up_to_there()
    {
        var pointers = Of(5, 6);

        Assert.That((pointers.MarkUnread(9, newest: 9), pointers.LastReadSeq, pointers.LastDeliveredSeq), Is.EqualTo((true, 8, 8)));
    }

    [TestCase(10, false)]
    [TestCase(2, false)]
    [TestCase(5, true)]
    public void A_message_that_does_not_exist_or_is_not_visible_is_not_marked(long seq, bool isPending)
    {
        var pointers = Of(5, 6, clearedSeq: 2, isPending);

        Assert.That((pointers.MarkUnread(seq, newest: 9), pointers.LastReadSeq), Is.EqualTo((false, 5)));
    }

    [Test]
    public void Sending_reads_all_before_it()
    {
        var pointers = Of(5, 6);

        pointers.Sent(10);

        Assert.That((pointers.LastReadSeq, pointers.LastDeliveredSeq), Is.EqualTo((10, 10)));
    }

    [TestCase(6, false, 6)]
    [TestCase(7, true, 7)]
    [TestCase(20, true, 9)]
    public void Receiving_moves_forward_only_and_not_past_the_newest(long seq, bool moves, long expected)
    {
        var pointers = Of(5, 6);

        Assert.That((pointers.Deliver(seq, newest: 9), pointers.LastDeliveredSeq, pointers.LastReadSeq), Is.EqualTo((moves, expected, 5)));
    }

    [Test]
    public void Pointers_follow_the_own_state_of_the_conversation()
    {
        var pointers = Of(5, 6);

        pointers.Follow(OwnStateTests.New with { ShowsReads = false, ClearedSeq = 4 });

        Assert.That((pointers.ShowsReads, pointers.ClearedSeq), Is.EqualTo((false, 4)));
    }

    private static Pointers Of(long read, long delivered, long clearedSeq = 0, bool isPending = false) =>
        new(read, delivered, isPending, showsReads: true, clearedSeq);
}
