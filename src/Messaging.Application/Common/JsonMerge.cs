using System.Text.Json.Nodes;

namespace Messaging.Application.Common;

/// <summary>JSON Merge Patch (RFC 7396) of a stored object.</summary>
public static class JsonMerge
{
    /// <summary>The object after the patch; null when the patch is null, which clears it.</summary>
    public static JsonText? Apply(JsonText? target, JsonText? patch)
    {
        if (patch is not { } changes)
            return null;
        var merged = Merge(target is { } current ? JsonNode.Parse(current.Value) : null, JsonNode.Parse(changes.Value));
        return new JsonText(merged!.ToJsonString(MessagingJson.Options));
    }

    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var result = target as JsonObject ?? [];
        foreach (var (name, change) in changes)
        {
            result.Remove(name, out var current);
            if (change is not null)
                result.Add(name, Merge(current, change));
        }
        return result;
    }
}
