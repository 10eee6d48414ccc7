using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Tests;

public sealed class StoredMessageTests
{
    private static readonly Instant Then = Instant.FromUtc(2026, 1, 1, 0, 0);
    private static readonly Instant Now = Instant.FromUtc(2026, 1, 2, 0, 0);
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public void Every_edit_is_another_version()
    {
        var edited = Message().Edit(MessageBody.Empty with { Text = "two" }, Now).Edit(MessageBody.Empty with { Text = "three" }, Now);

        Assert.That((edited.Body!.Text, edited.EditCount, edited.EditedAt, edited.Version), Is.EqualTo(("three", 2, Now, 3L)));
    }

    [Test]
    public void A_message_is_edited_so_many_times()
    {
        var message = Message() with { EditCount = StoredMessage.MaxEdits };

        Assert.That(() => message.Edit(MessageBody.Empty, Now), Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.LimitReached));
    }

    [Test]
    public void What_is_deleted_says_nothing_counts_nothing_and_keeps_its_edits()
    {
        var deleted = Message().Edit(MessageBody.Empty with { Text = "two", Mentions = [Bob] }, Then).Delete(new Deletion(Now, Ada, DeleteReason.User));

        Assert.That((deleted.IsDeleted, deleted.Counts, deleted.EditCount, deleted.Version), Is.EqualTo((true, false, 1, 3L)));
        Assert.That((deleted.Body, deleted.Counted.Count), Is.EqualTo((MessageBody.Empty, 0)));
        Assert.That(deleted.EnsureThere, Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.MessageDeleted));
    }

    [TestCase(0, false, true)]
    [TestCase(5, false, false)]
    [TestCase(0, true, false)]
    public void A_message_is_unread_for_who_has_not_come_so_far(long readSeq, bool isPending, bool expected)
    {
        Assert.That(Of(Bob, readSeq, isPending: isPending).HasUnread(Message()), Is.EqualTo(expected));
        Assert.That(Of(Ada, readSeq, isPending: isPending).HasUnread(Message()), Is.False);
    }

    [Test]
    public void Receipts_count_who_was_there_and_has_not_written_it()
    {
        Member[] members = [Of(Ada, 5), Of(Bob, 5), Of(new("carl"), 0, deliveredSeq: 5), Of(new("dan"), 9) with { JoinedSeq = 7 }];

        Assert.That(Member.Count(members, Place(), Message(), viewer: null), Is.EqualTo(new MessageReceipts(2, 2, 1)));
    }

    [Test]
    public void Who_hides_how_far_one_has_read_is_not_counted_as_a_reader()
    {
        var hides = Of(Bob, 5) with { ShowsReads = false };

        Assert.That(Member.Count([hides], Place(), Message(), viewer: null), Is.EqualTo(new MessageReceipts(1, 1, 0)));
    }

    [Test]
    public void Where_the_policy_tells_no_receipts_none_are_counted()
    {
        Assert.That(
            Member.Count([Of(Bob, 5)], Place(receipts: false), Message(), viewer: null), Is.EqualTo(new MessageReceipts(1, 0, 0)));
    }

    [Test]
    public void Between_two_who_are_parted_what_was_shown_then_counts_and_oneself_the_truth()
    {
        var bob = Of(Bob, 5) with { ShownReadSeq = 0, ShownDeliveredSeq = 5 };

        Assert.That(Member.Count([bob], Place(blocked: true), Message(), Ada), Is.EqualTo(new MessageReceipts(1, 1, 0)));
        Assert.That(Member.Count([bob], Place(blocked: true), Message(), Bob), Is.EqualTo(new MessageReceipts(1, 1, 1)));
    }

    [Test]
    public void Only_the_newest_message_is_shown_otherwise_and_the_next_takes_its_place()
    {
        var conversation = Place();

        conversation.Show(4, new Preview("older", DeletedSeq: null));
        Assert.That(conversation.Preview, Is.Null);
        conversation.Show(5, new Preview("newest", DeletedSeq: null));
        Assert.That(conversation.Preview!.Text, Is.EqualTo("newest"));
        conversation.Take(Now);
        Assert.That(conversation.Preview, Is.Null);
    }

    private static StoredMessage Message() =>
        new(MessageId.New(Then), 5, Ada, MessageType.Text, Then, IsDeleted: false, Version: 1) { Body = MessageBody.Empty with { Text = "one" } };

    private static Member Of(UserId user, long readSeq, long? deliveredSeq = null, bool isPending = false) =>
        new(user, 0, 0, readSeq, deliveredSeq ?? readSeq, null, null, ShowsReads: true, isPending);

    private static Conversation Place(bool receipts = true, bool blocked = false) =>
        ConversationTests.Restored(blocked: blocked, policy: ConversationTests.Defaults with { Receipts = receipts });
}
