using Messaging.Application.Notifications;
using NodaTime;

namespace Messaging.Application.Push;

/// <summary>What a notification says on its way to a device.</summary>
public static class PushMessages
{
    public static PushMessage ToPush(this NotificationRow row, PushTexts texts, PushDevice? device, long badge, Instant expiresAt)
    {
        var (title, body) = texts.Of(row);
        return new PushMessage
        {
            NotificationId = row.Id,
            UserId = row.UserId.Value,
            Device = device,
            Type = row.Type.ToString().ToLowerInvariant(),
            ConversationId = row.ConversationId.Value,
            MessageId = row.MessageId.Value,
            SenderId = row.SenderId?.Value,
            Title = title,
            Body = body,
            Count = row.Count,
            Badge = badge,
            Sound = row.Sound,
            RaisedAt = row.RaisedAt,
            ExpiresAt = expiresAt,
        };
    }
}
