using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Serialization;
using Messaging.Application.Common;
using Messaging.Application.Push;

namespace Messaging.Infrastructure.Push;

/// <summary>A push as our own clients read it: service workers, and hosts that send themselves.</summary>
internal static class PushBody
{
    private static readonly JsonSerializerOptions Lean = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = MessagingJson.Options.Encoder,
    };

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

    /// <summary>As providers of phones read it: members as they are named, without those that have no value.</summary>
    public static byte[] WriteLean(object body) => JsonSerializer.SerializeToUtf8Bytes(body, Lean);

    public static ByteArrayContent Json(byte[] body) =>
        new(body) { Headers = { ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json) } };

    /// <summary>What an app is told beside what is shown; all of it text.</summary>
    public static Dictionary<string, string> Data(PushMessage push) => new(StringComparer.Ordinal)
    {
        ["id"] = push.NotificationId.ToString(),
        ["type"] = push.Type,
        ["conversationId"] = push.ConversationId.ToString(),
        ["messageId"] = push.MessageId.ToString(),
    };
}
