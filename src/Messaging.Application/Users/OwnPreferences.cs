using Messaging.Application.Common;
using Messaging.Application.Notifications;

namespace Messaging.Application.Users;

/// <summary>How a user wants to be notified, as it is stored.</summary>
public sealed record OwnPreferences(string? Language, JsonText? QuietHours)
{
    public QuietHoursView? ReadQuietHours() => MessagingJson.Read<QuietHoursView>(QuietHours);
}
