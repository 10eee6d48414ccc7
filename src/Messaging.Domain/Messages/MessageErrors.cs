using Messaging.Domain.Common;

namespace Messaging.Domain.Messages;

public static class MessageErrors
{
    public static RuleException SystemIsForTheService() => new(new Problem(
        ProblemCodes.NotAllowed, "Only the service can send messages of type 'system'."));

    public static RuleException ServiceSendsSystemOnly() => new(new Problem(
        ProblemCodes.UserNeeded, "Without a user, only messages of type 'system' can be sent.", "type"));

    /// <summary>Worded the same whether the message is absent, elsewhere or hidden.</summary>
    public static RuleException NoSuchReply() => CommonErrors.Invalid(
        "replyToId", "There is no such message in this conversation, or it is not visible to you.");

    public static RuleException MentionOfStranger(int index, UserId userId) => CommonErrors.Invalid(
        $"mentions/{index}", $"'{userId}' is not a participant of this conversation.");

    public static RuleException AuthorOnly() => new(new Problem(
        ProblemCodes.NotAllowed, "Only the author can edit a message."));

    public static RuleException NotYoursToDelete() => new(new Problem(
        ProblemCodes.NotAllowed,
        "Only the author or an admin of the group can delete a message for everyone; use scope=me to delete it for yourself."));

    public static RuleException HistoryIsForModerators() => new(new Problem(
        ProblemCodes.NotAllowed, "Only moderators can read earlier versions of messages in this conversation."));

    public static RuleException EditWindowPassed() => new(new Problem(
        ProblemCodes.EditWindowPassed, "The time to edit this message has passed; send a new one."));

    public static RuleException TooManyEdits() => new(new Problem(
        ProblemCodes.LimitReached, $"A message can be edited at most {StoredMessage.MaxEdits} times; send a new one."));

    public static RuleException DeleteWindowPassed() => new(new Problem(
        ProblemCodes.DeleteWindowPassed,
        "The time to delete this message for everyone has passed; use scope=me to delete it for yourself."));

    public static RuleException TooManyPins(int limit) => new(new Problem(
        ProblemCodes.LimitReached, $"A conversation has at most {limit} pinned messages; unpin one first."));

    public static RuleException NotToBeReported() => new(new Problem(
        ProblemCodes.NotAllowed, "You can only report messages from other users."));

    public static RuleException Deleted() => new(new Problem(
        ProblemCodes.MessageDeleted, "The message was deleted; only its place in the conversation remains."));

    public static RuleException KeyReused() => new(new Problem(
        ProblemCodes.IdempotencyKeyReused, "This clientMessageId was used for a message with other content; choose a new one.",
        "clientMessageId"));
}
