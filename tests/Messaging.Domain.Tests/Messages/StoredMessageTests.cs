using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Domain.Tests.Conversations;
using NodaTime;
using NUnit.Framework.Constraints;

namespace Messaging.Domain.Tests.Messages;

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

        Assert.That(() => message.Edit(MessageBody.Empty, Now),
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.LimitReached));
    }

    [Test]
    public void A_deleted_message_says_nothing_counts_nothing_and_keeps_its_edits()
    {
        var deleted = Message().Edit(MessageBody.Empty with { Text = "two", Mentions = [Bob] }, Then)
            .Delete(new Deletion(Now, Ada, DeleteReason.User));

        Assert.That((deleted.IsDeleted, deleted.Counts, deleted.EditCount, deleted.Version), Is.EqualTo((true, false, 1, 3L)));
        Assert.That((deleted.Body, deleted.Counted.Count), Is.EqualTo((MessageBody.Empty, 0)));
        Assert.That(deleted.EnsureNotDeleted,
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.MessageDeleted));
    }

    [TestCase(0, false, true)]
    [TestCase(5, false, false)]
    [TestCase(0, true, false)]
    public void A_message_is_unread_for_who_has_not_come_so_far(long readSeq, bool isPending, bool expected)
    {
        Assert.That(Of(Bob, readSeq, isPending).HasUnread(Message()), Is.EqualTo(expected));
        Assert.That(Of(Ada, readSeq, isPending).HasUnread(Message()), Is.False);
    }

    [Test]
    public void Only_the_newest_message_is_shown_otherwise_and_the_next_takes_its_place()
    {
        var conversation = Place();

        conversation.Show(4, new Preview("older", DeletedSeq: null));
        Assert.That(conversation.Preview, Is.Null);
        conversation.Show(5, new Preview("newest", DeletedSeq: null));
        Assert.That(conversation.Preview!.Text, Is.EqualTo("newest"));
        conversation.DrawPosition(Now);
        Assert.That(conversation.Preview, Is.Null);
    }

    private static EqualStringConstraint Refused(string code) =>
        Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(code);

    private static StoredMessage Message() =>
        new(MessageId.New(Then), 5, Ada, MessageType.Text, Then, IsDeleted: false,
            Version: 1) { Body = MessageBody.Empty with { Text = "one" } };

    private static Participant Of(UserId user, long readSeq, bool isPending) =>
        new(
            default, user,
            new ParticipantState(ParticipantRole.Member, Then, JoinedSeq: 0) { LastReadSeq = readSeq, IsPending = isPending });

    private static Conversation Place() => ConversationTests.Restored();
}
