using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Domain.Saved;
using Messaging.Domain.Webhooks;

namespace Messaging.Domain.Tests.Webhooks;

public sealed class EventSelectionTests
{
    [TestCase(MessageSent.Name, true)]
    [TestCase(ConversationClosed.Name, true)]
    [TestCase(ParticipantRemoved.Name, true)]
    [TestCase(MessageSaved.Name, false)]
    [TestCase(UnreadChanged.Name, false)]
    [TestCase(SettingsUpdated.Name, false)]
    [TestCase(ContactRequested.Name, false)]
    public void Without_words_it_has_the_events_of_conversations_messages_and_participants(string type, bool included) =>
        Assert.That(new EventSelection([]).Includes(type), Is.EqualTo(included));

    [Test]
    public void A_star_is_for_every_type() =>
        Assert.That(EventSelection.Types.Where(type => !new EventSelection(["*"]).Includes(type)), Is.Empty);

    [Test]
    public void A_kind_with_a_star_is_for_its_types_alone() => Assert.That(
        EventSelection.Types.Where(new EventSelection(["contact:*"]).Includes),
        Is.EquivalentTo(new[] { ContactAccepted.Name, ContactRemoved.Name, ContactRequested.Name }));

    [Test]
    public void A_type_is_for_itself_alone() =>
        Assert.That(EventSelection.Types.Where(new EventSelection([MessageSaved.Name]).Includes), Is.EqualTo(new[] { MessageSaved.Name }));

    [TestCase("")]
    [TestCase(":*")]
    [TestCase("message")]
    [TestCase("message:")]
    [TestCase("message:gone")]
    [TestCase("MESSAGE:NEW")]
    [TestCase("nothing:*")]
    [TestCase("**")]
    [TestCase("typing")]
    [TestCase(WebhookTest.Name)]
    public void Words_that_no_stored_event_has_are_unknown(string word) => Assert.That(EventSelection.IsKnown(word), Is.False);
}
