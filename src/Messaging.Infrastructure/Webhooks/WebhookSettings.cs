using Messaging.Application.Common;

namespace Messaging.Infrastructure.Webhooks;

/// <summary><c>Messaging__Webhooks__*</c>.</summary>
public sealed class WebhookSettings : ISettings
{
    private static readonly TimeSpan[] Default =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    public static string Section => "Messaging:Webhooks";

    /// <summary>Whether addresses in private networks are called, too; for tests and closed networks.</summary>
    public bool AllowPrivateNetworks { get; init; }

    /// <summary>The waits between the tries of a delivery, of which the first is at once; none for those of Standard Webhooks.</summary>
    public IReadOnlyList<TimeSpan> Schedule { get; init; } = [];

    /// <summary>Those in force.</summary>
    public IReadOnlyList<TimeSpan> Waits => Schedule.Count > 0 ? Schedule : Default;

    public IEnumerable<string> Errors()
    {
        if (Schedule.Count > 50)
            yield return "Schedule: 50 waits at most are expected.";
        if (Schedule.Any(wait => wait <= TimeSpan.Zero || wait > TimeSpan.FromDays(7)))
            yield return "Schedule: each wait is more than 00:00:00 and at most 7 days.";
    }
}
