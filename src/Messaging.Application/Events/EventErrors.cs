using Messaging.Domain.Common;

namespace Messaging.Application.Events;

public static class EventErrors
{
    /// <summary>Of another epoch, ahead of the feed, or older than what is kept: the events in between cannot be told any more.</summary>
    public static RuleException CursorExpired() => new(new Problem(
        ProblemCodes.CursorExpired, "The events after this cursor are no longer kept; start again from GET /v1/sync without since."));

    public static RuleException MalformedCursor(string member) => CommonErrors.Invalid(
        member, "This is not a cursor; send the id of the newest event seen, or the cursor of an earlier answer, unchanged.");
}
