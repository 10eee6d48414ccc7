using Messaging.Domain.Common;

namespace Messaging.Domain.Contacts;

public static class ContactErrors
{
    public static RuleException WithOneself() => CommonErrors.Invalid("userId", "This is for somebody else than yourself.");

    /// <summary>Does not tell which of the two it was.</summary>
    public static RuleException Blocked(string? member = null) => new(new Problem(
        ProblemCodes.Blocked, "One of you has blocked the other: that has to be lifted first.", member));

    public static RuleException NotAContact() => new(new Problem(
        ProblemCodes.NotAContact, "Only contacts write to each other here: ask for the contact with POST /v1/contacts first.", "userId"));

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
        ProblemCodes.NotAllowed, "You asked; the answer is the other one's to give."));

    public static RuleException Accepted() => new(new Problem(
        ProblemCodes.AlreadyExists, "It was accepted already; remove the contact or block the user instead."));
}
