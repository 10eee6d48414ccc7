using Messaging.Application.Common;

namespace Messaging.Application.Notifications;

/// <summary>What each user is notified of, and the devices that take pushes.</summary>
public sealed class NotificationsModule : Module
{
    // Index: ix_notifications_conversation.
    private const string PurgeSql = "DELETE FROM notifications WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } = ["devices", "notifications"];

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];
}
