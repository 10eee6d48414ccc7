using Messaging.Domain.Common;

namespace Messaging.Domain.Contacts;

public static class ContactErrors
{
    public static RuleException WithOneself() => CommonErrors.Invalid("userId", "You cannot do this with yourself; name another user.");

    /// <summary>Does not tell which of the two it was.</summary>
    public static RuleException Blocked(string? member = null) => new(new Problem(
        ProblemCodes.Blocked, "One of you has blocked the other; the block must be lifted first.", member));

    public static RuleException NotAContact() => new(new Problem(
        ProblemCodes.NotAContact, "Only contacts can write to each other here: request the contact with POST /v1/contacts first.",
        "userId"));

    public static RuleException NotToAdd(string member) => new(new Problem(
        ProblemCodes.NotAContact,
        "You can only add people whom you may message: your contacts or, where first messages wait for an answer, people who have accepted "
        + "a direct conversation with you. Ask for the contact with POST /v1/contacts first.",
        member));

    public static RuleException LeftLately(string member, UserId userId) => new(new Problem(
        ProblemCodes.NotAllowed,
        $"'{userId}' left a group that you are or were in less than 24 hours ago; until then only their contacts and the service can add "
            + "them to "
        + "others. Nobody was added.",
        member));

    public static RuleException OwnQuestion() => new(new Problem(
        ProblemCodes.NotAllowed, "You sent this request; only the other user can answer it."));

    public static RuleException Accepted() => new(new Problem(
        ProblemCodes.AlreadyExists, "It has already been accepted; remove the contact or block the user instead."));
}
