using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Moderation;
using NodaTime;
using static Messaging.Domain.Tests.Conversations.ConversationTests;

namespace Messaging.Domain.Tests.Moderation;

public sealed class ReportTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 11, 29, 10, 0);
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public void Only_a_message_that_somebody_else_has_written_is_reported()
    {
        var deleted = Message(Ada).Delete(new Deletion(Now, Ada, DeleteReason.User));

        var written = Message(Ada);
        Assert.That(File(written).Message, Is.SameAs(written));
        Assert.That(() => File(Message(Bob)), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => File(Message(sender: null)), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => File(deleted), Refused(ProblemCodes.MessageDeleted));
    }

    private static Report File(StoredMessage message) => Report.File(default, message, Bob, ReportReason.Spam, note: null, Now);

    private static StoredMessage Message(UserId? sender) =>
        new(MessageId.New(Now), 5, sender, MessageType.Text, Now, IsDeleted: false, Version: 1) { Body = MessageBody.Empty };
}
