using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

public static class ParticipantErrors
{
    public static RuleException NotAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "Only the owner and admins of the conversation may do this."));

    public static RuleException OwnerOnly() => new(new Problem(
        ProblemCodes.NotAllowed, "Only the owner of the group may do this."));

    public static RuleException LastOwner() => new(new Problem(
        ProblemCodes.LastOwner, "A group must have an owner: transfer ownership to another participant first."));

    public static RuleException BanOfOneself() =>
        CommonErrors.Invalid("userId", "You cannot ban yourself; leave the conversation instead.");

    public static RuleException Banned(string member, UserId userId) => new(new Problem(
        ProblemCodes.Banned, $"'{userId}' is banned from the conversation; nobody was added. Lift the ban first.", member));

    public static RuleException LeftLately(string member, UserId userId) => new(new Problem(
        ProblemCodes.NotAllowed,
        $"'{userId}' left this group less than 24 hours ago; until then only the service can add them. Nobody was added.",
        member));

    public static RuleException Absent(string member, UserId userId) =>
        CommonErrors.Invalid(member, $"'{userId}' is not a participant of this conversation.");

    public static RuleException Unknown(string member, UserId userId) =>
        CommonErrors.Invalid(member, $"There is no user '{userId}'; create it with PUT /v1/users/{userId} first.");
}
