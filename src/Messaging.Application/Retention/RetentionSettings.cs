using Messaging.Application.Common;

namespace Messaging.Application.Retention;

/// <summary><c>Messaging__Retention__*</c>.</summary>
public sealed class RetentionSettings : ISettings
{
    public static string Section => "Messaging:Retention";

    /// <summary>How long a client may be away and still resume; whole days of the feed older than this are dropped.</summary>
    public int FeedDays { get; init; } = 7;

    /// <summary>Days without a message after which a conversation with a context is closed.</summary>
    public int InactiveCloseDays { get; init; } = 30;

    /// <summary>Days after which a notification is removed, counted from the newest of its messages.</summary>
    public int NotificationDays { get; init; } = 90;

    public IEnumerable<string> Errors()
    {
        if (NotificationDays < 1)
            yield return "NotificationDays: 1 or more is expected.";
        if (FeedDays < 1)
            yield return "FeedDays: 1 or more is expected.";
        if (InactiveCloseDays < 1)
            yield return "InactiveCloseDays: 1 or more is expected.";
    }
}
