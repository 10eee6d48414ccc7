using Messaging.Application.Notifications;
using Messaging.Application.Push;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Tests.Notifications;

public sealed class PushTextsTests
{
    [Test]
    public void Built_in_are_words_for_each_kind()
    {
        Assert.That(Said(Row()), Is.EqualTo("Anna | When will it arrive?"));
        Assert.That(Said(Row() with { Count = 3 }), Is.EqualTo("Anna | When will it arrive? (3 new messages)"));
        Assert.That(
            Said(Row() with { ConversationType = ConversationType.Group, Name = "Crew" }), Is.EqualTo("Crew | Anna: When will it arrive?"));
        Assert.That(Said(Row() with { Type = NotificationType.Mention }), Is.EqualTo("Anna mentioned you | When will it arrive?"));
    }

    [TestCase(MessageType.Image, true, "Picture")]
    [TestCase(MessageType.Voice, true, "Voice message")]
    [TestCase(MessageType.Text, true, "New message")]
    [TestCase(MessageType.Image, false, "New message")]
    public void Where_there_is_no_text_a_word_says_what_came(MessageType type, bool isShown, string word) =>
        Assert.That(Said(Row() with { MessageType = type, IsShown = isShown, Preview = null }), Is.EqualTo($"Anna | {word}"));

    [Test]
    public void Who_and_what_has_no_name_is_named_by_a_word() =>
        Assert.That(
            Said(Row() with { SenderName = null, ConversationType = ConversationType.Group }),
            Is.EqualTo("Group | Someone: When will it arrive?"));

    [Test]
    public void A_message_is_told_in_one_line_and_as_it_is() =>
        Assert.That(
            Said(Row() with { Preview = "a\n\t{count} {sender}  b", SenderName = "{preview}" }),
            Is.EqualTo("{preview} | a {count} {sender} b"));

    [TestCase("de-AT", "Anna | Servus: When will it arrive?")]
    [TestCase("de-CH", "Anna | Neu: When will it arrive?")]
    [TestCase("DE", "Anna | Neu: When will it arrive?")]
    [TestCase("fr", "Anna | Nuevo: When will it arrive?")]
    [TestCase(null, "Anna | Nuevo: When will it arrive?")]
    public void The_nearest_language_is_taken_and_else_that_of_the_service(string? language, string said)
    {
        var settings = new PushSettings
        {
            Language = "es",
            Templates =
            {
                ["direct"] = new()
                {
                    ["de"] = new() { Body = "Neu: {preview}" },
                    ["de-AT"] = new() { Body = "Servus: {preview}" },
                    ["es"] = new() { Body = "Nuevo: {preview}" },
                },
            },
        };

        Assert.That(Said(Row() with { Language = language }, settings), Is.EqualTo(said));
    }

    [TestCase("letter", "en", "{sender}", "Templates__letter: the kinds are")]
    [TestCase("direct", "english!", "{sender}", "Templates__direct__english!: in its place a language tag")]
    [TestCase("direct", "en", "{who} writes", "Templates__direct__en__Body: in braces, only {sender}")]
    [TestCase("direct", "en", "{sender", "Templates__direct__en__Body: in braces, only {sender}")]
    public void Templates_that_could_not_be_filled_in_are_refused_at_the_start(string kind, string language, string body, string error)
    {
        var settings = new PushSettings { Templates = { [kind] = new() { [language] = new() { Body = body } } } };

        Assert.That(settings.Errors().Single(), Does.StartWith(error));
    }

    private static string Said(NotificationRow row, PushSettings? settings = null)
    {
        var view = row.ToView(new PushTexts(settings ?? new PushSettings()));
        return $"{view.Title} | {view.Body}";
    }

    private static NotificationRow Row() => new()
    {
        Id = Guid.NewGuid(),
        UserId = new UserId("bert"),
        Type = NotificationType.Message,
        ConversationId = new ConversationId(Guid.NewGuid()),
        MessageId = new MessageId(Guid.NewGuid()),
        Count = 1,
        Delivery = DeliveryState.None,
        CreatedAt = Instant.MinValue,
        RaisedAt = Instant.MinValue,
        ConversationType = ConversationType.Direct,
        SenderName = "Anna",
        MessageType = MessageType.Text,
        IsShown = true,
        Preview = "When will it arrive?",
    };
}
