using Cronos;
using Messaging.Application.Common;

namespace Messaging.Infrastructure.Jobs;

/// <summary><c>Messaging__Jobs__*</c>: when each job is due, in UTC.</summary>
public sealed class JobSettings : ISettings
{
    public static string Section => "Messaging:Jobs";

    /// <summary>Drops the feed's old days, and deletes rows that are kept for a time only.</summary>
    public string Cleanup { get; init; } = "0 * * * *";

    /// <summary>Collects and removes files that nobody needs, and has those scanned that wait for it.</summary>
    public string Files { get; init; } = "* * * * *";

    /// <summary>Checks the inboxes that are large.</summary>
    public string LargeInboxes { get; init; } = "*/10 * * * *";

    /// <summary>Removes what is left of deleted conversations.</summary>
    public string Purges { get; init; } = "10 * * * *";

    /// <summary>Closes conversations in which nothing was said for long.</summary>
    public string QuietConversations { get; init; } = "5 * * * *";

    public IEnumerable<string> Errors()
    {
        (string Name, string Schedule)[] schedules =
        [
            (nameof(Cleanup), Cleanup),
            (nameof(Files), Files),
            (nameof(LargeInboxes), LargeInboxes),
            (nameof(Purges), Purges),
            (nameof(QuietConversations), QuietConversations),
        ];
        return schedules.Where(one => Next(one.Schedule, DateTime.UtcNow) is null)
            .Select(one => $"{one.Name}: a cron expression of five fields that some time fits is expected, such as 0 * * * *.");
    }

    /// <summary>When the schedule is due next; null if it is none, or never due.</summary>
    public static DateTime? Next(string schedule, DateTime now) =>
        CronExpression.TryParse(schedule, out var expression) ? expression.GetNextOccurrence(now) : null;
}
