using System.Text.Json.Nodes;
using Messaging.Application.Common;

namespace Messaging.Application.Events;

/// <summary>
/// Takes out of an event what was deleted after it was told. Whom a message mentions stays: who counts by the events counted it, and
/// message:deleted says the same.
/// </summary>
static class Redaction
{
    private static readonly string[] Content = ["text", "metadata", "location", "reference"];
    private static readonly string[] Lists = ["attachments", "reactions"];

    /// <summary>The payload without what is deleted.</summary>
    /// <param name="deletion">What is told of the deletion of the event's own message; null where that is there.</param>
    /// <param name="quotesDeleted">Whether the message that it quotes or previews is deleted.</param>
    public static JsonText Of(JsonText payload, JsonNode? deletion, bool quotesDeleted)
    {
        var data = JsonNode.Parse(payload.Value)!.AsObject();
        if (deletion is not null)
        {
            foreach (var name in Content)
                data[name] = null;
            foreach (var name in Lists.Where(data.ContainsKey))
                data[name] = new JsonArray();
            data["pinned"] = false;
            data["deleted"] = deletion;
        }
        if (quotesDeleted)
        {
            Empty(data["replyTo"], "preview");
            Empty(data["lastMessage"], "text");
            Empty(data["message"], "text");
        }
        return new JsonText(data.ToJsonString(MessagingJson.Options));
    }

    private static void Empty(JsonNode? quoted, string text)
    {
        if (quoted is null)
            return;
        quoted[text] = null;
        quoted["deleted"] = true;
    }
}
