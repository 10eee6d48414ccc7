using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Push;

namespace Messaging.Infrastructure.Push;

/// <summary>A push as our own clients read it: service workers, and hosts that send themselves.</summary>
internal static class PushBody
{
    public static byte[] Write(PushMessage push) => JsonSerializer.SerializeToUtf8Bytes(Of(push), MessagingJson.Options);

    public static object Of(PushMessage push) => new
    {
        Id = push.NotificationId,
        push.Type,
        push.ConversationId,
        push.MessageId,
        push.SenderId,
        push.Title,
        push.Body,
        push.Count,
        push.Badge,
        push.Sound,
        push.RaisedAt,
    };

    /// <summary>What an app is told beside what is shown; all of it text.</summary>
    public static Dictionary<string, string> Data(PushMessage push) => new(StringComparer.Ordinal)
    {
        ["id"] = push.NotificationId.ToString(),
        ["type"] = push.Type,
        ["conversationId"] = push.ConversationId.ToString(),
        ["messageId"] = push.MessageId.ToString(),
    };
}
