using Messaging.Domain.Common;

namespace Messaging.Domain.Messages;

public static class MessageErrors
{
    public static RuleException SystemIsForTheService() => new(new Problem(
        ProblemCodes.NotAllowed, "Messages of type 'system' are sent by the service only."));

    public static RuleException ServiceSendsSystemOnly() => new(new Problem(
        ProblemCodes.UserNeeded, "Of no user there are messages of type 'system' only.", "type"));

    /// <summary>Worded the same whether the message is absent, elsewhere or hidden.</summary>
    public static RuleException NoSuchReply() => CommonErrors.Invalid(
        "replyToId", "There is no such message in this conversation that you can see.");

    public static RuleException MentionOfStranger(int index, UserId userId) => CommonErrors.Invalid(
        $"mentions/{index}", $"'{userId}' does not take part in this conversation.");

    public static RuleException AuthorOnly() => new(new Problem(
        ProblemCodes.NotAllowed, "A message is edited by who wrote it, and by nobody else."));

    public static RuleException NotYoursToDelete() => new(new Problem(
        ProblemCodes.NotAllowed,
        "A message is deleted for everyone by who wrote it, or by an admin of the group; with scope=me you delete it for yourself."));

    public static RuleException HistoryIsForModerators() => new(new Problem(
        ProblemCodes.NotAllowed, "Earlier versions of the messages of this conversation are for moderators only."));

    public static RuleException EditWindowPassed() => new(new Problem(
        ProblemCodes.EditWindowPassed, "The time within which this message could be edited has passed; send another one."));

    public static RuleException TooManyEdits() => new(new Problem(
        ProblemCodes.LimitReached, $"A message is edited at most {StoredMessage.MaxEdits} times; send another one."));

    public static RuleException DeleteWindowPassed() => new(new Problem(
        ProblemCodes.DeleteWindowPassed,
        "The time within which you could delete this message for everyone has passed; with scope=me you delete it for yourself."));

    public static RuleException TooManyPins(int limit) => new(new Problem(
        ProblemCodes.LimitReached, $"A conversation has at most {limit} pinned messages; take one of them off first."));

    public static RuleException NotToBeReported() => new(new Problem(
        ProblemCodes.NotAllowed, "Only what somebody else has written can be reported."));

    public static RuleException Deleted() => new(new Problem(
        ProblemCodes.MessageDeleted, "The message was deleted: its place in the conversation is all that is left."));

    public static RuleException KeyReused() => new(new Problem(
        ProblemCodes.IdempotencyKeyReused, "This clientMessageId was used for a message with other content; choose a new one.",
        "clientMessageId"));
}
