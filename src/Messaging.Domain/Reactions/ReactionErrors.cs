using Messaging.Domain.Common;

namespace Messaging.Domain.Reactions;

public static class ReactionErrors
{
    public static RuleException NoneAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "Messages in this conversation take no reactions."));

    public static RuleException NotAmongAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "This conversation allows only certain reactions; its policy lists them in reactions.allowed.", "emoji"));

    public static RuleException TooManyOfOne() => new(new Problem(
        ProblemCodes.LimitReached, $"A user can add at most {MessageReactions.PerUser} reactions to a message; remove one first."));

    public static RuleException TooManyOfAll() => new(new Problem(
        ProblemCodes.LimitReached, $"A message takes at most {MessageReactions.PerMessage} different reactions; use an existing one."));
}
