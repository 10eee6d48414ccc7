using System.Globalization;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Conversations;

public static class ConversationErrors
{
    public static RuleException Closed() => new(new Problem(
        ProblemCodes.ConversationClosed, "The conversation is closed: it can be read, but not written to until it is reopened."));

    public static RuleException Archived() => new(new Problem(
        ProblemCodes.ConversationArchived, "The conversation is archived: it can be read, but not written to until it is unarchived."));

    public static RuleException Blocked() => new(new Problem(
        ProblemCodes.Blocked, "One of you has blocked the other: nothing can be sent here until the block is lifted."));

    public static RuleException RequestPending() => new(new Problem(
        ProblemCodes.RequestPending,
        "The receiver must accept the first message; until then nothing else can be sent."));

    public static RuleException ServiceOnly() => new(new Problem(
        ProblemCodes.NotAllowed, "In a direct conversation only the service may do this, with a key that acts for no user."));

    public static RuleException TooSoon(Duration left) => new(new Problem(
        ProblemCodes.RateLimited, "The conversation is in slow mode; wait before you send or edit again.")
    {
        RetryAfterSeconds = (int)Math.Ceiling(left.TotalSeconds),
    });

    public static RuleException GroupFull(int limit) => new(new Problem(
        ProblemCodes.GroupFull,
        string.Create(CultureInfo.InvariantCulture, $"A group has at most {limit} participants; nobody was added.")));

    public static RuleException DirectIsFixed() => new(new Problem(
        ProblemCodes.DirectIsFixed, "A direct conversation is always between the same two people; open a group instead."));

    public static RuleException TooManyOfTwo(int limit) => new(new Problem(
        ProblemCodes.LimitReached,
        string.Create(
            CultureInfo.InvariantCulture, $"The same two users have at most {limit:N0} direct conversations; use one that is there.")));

    public static RuleException WithOneself() =>
        CommonErrors.Invalid("userId", "A direct conversation needs another user.");

    public static RuleException TooFew() =>
        CommonErrors.Invalid("participantIds", "A group starts with at least one other participant.");

    public static RuleException SlugTaken(string slug) => new(new Problem(
        ProblemCodes.AlreadyExists, $"The slug '{slug}' is in use; choose another one or leave it out.", "slug"));
}
