using Messaging.Domain.Common;

namespace Messaging.Domain.Reactions;

public static class ReactionErrors
{
    public static RuleException NoneAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "Messages of this conversation take no reactions."));

    public static RuleException NotAmongAllowed() => new(new Problem(
        ProblemCodes.NotAllowed, "This conversation allows some reactions only; its policy names them in reactions.allowed.", "emoji"));

    public static RuleException TooManyOfOne() => new(new Problem(
        ProblemCodes.LimitReached, $"One user puts at most {MessageReactions.PerUser} reactions to a message; take one away first."));

    public static RuleException TooManyOfAll() => new(new Problem(
        ProblemCodes.LimitReached, $"A message takes at most {MessageReactions.PerMessage} different reactions; use one that is there."));
}
