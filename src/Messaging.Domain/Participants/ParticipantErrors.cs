using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

public static class ParticipantErrors
{
    public static RuleException NotAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "Only the owner and admins of the conversation may do this."));

    public static RuleException Unknown(string pointer, UserId userId) =>
        CommonErrors.Invalid(pointer, $"There is no user '{userId}'; create it with PUT /v1/users/{userId} first.");
}
