using Messaging.Application.Common;
using Messaging.Application.Notifications;

namespace Messaging.Application.Users;

/// <summary>How a user wants to be notified, as it is stored.</summary>
public sealed record OwnPreferences(string? Language, JsonText? QuietHours)
{
    /// <summary>The columns of <c>users AS u</c> that are read into it, in its order.</summary>
    public const string Columns = "u.language, u.quiet_hours";

    public QuietHoursView? ReadQuietHours() => MessagingJson.Read<QuietHoursView>(QuietHours);
}
