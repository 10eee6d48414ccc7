using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;
using static Messaging.Domain.Tests.Conversations.ConversationTests;

namespace Messaging.Domain.Tests.Messages;

public sealed class MessageTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 11, 20, 10, 0);
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public void System_is_the_services_type_and_its_only_one()
    {
        Assert.That(() => Compose(new Actor(Ada), MessageType.System), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => Compose(Actor.Service, MessageType.Text), Refused(ProblemCodes.UserNeeded));
        var composed = Compose(Actor.Service, MessageType.System);
        Assert.That((composed.Sender, composed.Draft.Type), Is.EqualTo((Actor.Service, MessageType.System)));
    }

    [Test]
    public void Only_those_who_take_part_are_mentioned()
    {
        var refused = Assert.Throws<RuleException>(() => Compose(new Actor(Ada), MessageType.Text, [Ada, Bob], present: [Ada]));

        Assert.That(refused!.Problem.Member, Is.EqualTo("mentions/1"));
    }

    [Test]
    public void Nothing_is_written_to_what_is_closed_or_archived()
    {
        Assert.That(
            () => Compose(new Actor(Ada), MessageType.Text, conversation: Restored(closed: true)),
            Refused(ProblemCodes.ConversationClosed));
        Assert.That(
            () => Compose(Actor.Service, MessageType.System, conversation: Restored(archived: true)),
            Refused(ProblemCodes.ConversationArchived));
    }

    [Test]
    public void An_id_tells_its_time()
    {
        Assert.That(MessageId.New(Now).Time, Is.EqualTo(Now));
        Assert.That(new MessageId(Guid.Empty).Time, Is.EqualTo(NodaConstants.UnixEpoch));
    }

    private static Message Compose(
        Actor sender, MessageType type, UserId[]? mentions = null, UserId[]? present = null,
        Domain.Conversations.Conversation? conversation = null) =>
        Message.Compose(
            conversation ?? Restored(), sender, participant: null, new MessageDraft(null, type, "hi", null, null, mentions ?? []),
            (present ?? []).ToHashSet(), Now);
}
