using Messaging.Domain.Common;

namespace Messaging.Domain.Notifications;

/// <summary>A user is notified of something, or once more of what is unread in a conversation.</summary>
public sealed record NotificationRaised(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "notification:new";

    public string Type => Name;
}
