using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;
using static Messaging.Domain.Tests.Conversations.ConversationTests;

namespace Messaging.Domain.Tests.Participants;

/// <summary>
/// What is told where Ada's pointers have moved up to 7, in messages of Bob's; by <c>!</c> that she has marked one unread.
/// </summary>
public sealed class PointerMoveTests
{
    private static readonly UserId Ada = new("ada");

    [TestCase(true, "message:read * 7, unread:changed ada")]
    [TestCase(false, "message:delivered * 7")]
    public void Everybody_hears_how_far_somebody_has_come(bool reads, string expected)
    {
        Assert.That(Told(Restored(), reads: reads), Is.EqualTo(expected));
    }

    [Test]
    public void Delivery_beyond_the_read_message_is_told_separately()
    {
        Assert.That(Told(Restored(), deliveredSeq: 9), Is.EqualTo("message:delivered * 9, message:read * 7, unread:changed ada"));
    }

    [TestCase(false, "message:delivered * 7, message:read ada 7, unread:changed ada")]
    [TestCase(true, "message:delivered * 7, message:read ada 7!, unread:changed ada!")]
    public void Of_who_hides_reading_others_hear_that_it_was_received(bool marksUnread, string expected)
    {
        Assert.That(Told(Restored(), showsReads: false, marksUnread: marksUnread), Is.EqualTo(expected));
    }

    [TestCase(false, "message:read bob 7, message:read ada 7, unread:changed ada")]
    [TestCase(true, "message:read bob 7, message:read ada 7!, unread:changed ada!")]
    public void Among_many_the_author_and_ones_own_devices_hear_of_it(bool marksUnread, string expected)
    {
        Assert.That(Told(Restored(count: 31), marksUnread: marksUnread), Is.EqualTo(expected));
    }

    [Test]
    public void Among_many_who_moves_back_tells_the_author_nothing()
    {
        Assert.That(
            Told(Restored(count: 31), reads: false, receives: false, marksUnread: true),
            Is.EqualTo("message:read ada 7!, unread:changed ada!"));
    }

    [Test]
    public void Where_everybody_hears_of_reading_they_hear_of_marking_as_unread_wherever_the_pointer_was([Values] bool reads)
    {
        Assert.That(Told(Restored(), reads, receives: false, marksUnread: true), Is.EqualTo("message:read * 7!, unread:changed ada!"));
    }

    [TestCase(false, "message:read ada 7, unread:changed ada")]
    [TestCase(true, "message:read ada 7!, unread:changed ada!")]
    public void Who_is_parted_from_the_other_one_hears_of_it_alone(bool marksUnread, string expected)
    {
        Assert.That(Told(Restored(ConversationType.Direct, blocked: true), marksUnread: marksUnread), Is.EqualTo(expected));
    }

    private static string Told(
        Conversation conversation, bool reads = true, bool receives = true, long deliveredSeq = 7, bool showsReads = true,
        bool marksUnread = false)
    {
        var pointers = new Pointers(7, deliveredSeq, isPending: false, showsReads, clearedSeq: 0);
        var move = new PointerMove(
            conversation, Ada, pointers, 7, deliveredSeq, reads, receives, new UserId("bob"), Instant.MinValue, marksUnread);
        return string.Join(", ", move.Facts().Select(fact =>
            $"{fact.Event.Type} {fact.Event.Audience?.Value ?? "*"}{(fact.Seq is { } at ? $" {at}" : "")}{(fact.MarksUnread ? "!" : "")}"));
    }
}
