using System.Text.Json.Nodes;

namespace Messaging.Api.Tests.Saved;

/// <summary>
/// What a careful client keeps of which messages its user has saved: a page of the history, and every event folded into it by the rules of
/// docs/integrating.md.
/// </summary>
public sealed class SavedModel(JsonArray page)
{
    private readonly Dictionary<string, bool> messages = page.ToDictionary(
        message => message!["id"]!.GetValue<string>(),
        message => message!["deleted"] is null && message["saved"]!.GetValue<bool>());

    /// <summary>What the client shows as saved.</summary>
    public IReadOnlyList<string> Saved =>
        [.. messages.Where(message => message.Value).Select(message => message.Key).Order(StringComparer.Ordinal)];

    public void Apply(JsonObject envelope)
    {
        var data = envelope["data"]!;
        switch (envelope["type"]!.GetValue<string>())
        {
            case "message:saved" when messages.ContainsKey(data["messageId"]!.GetValue<string>()):
                messages[data["messageId"]!.GetValue<string>()] = data["saved"]!.GetValue<bool>();
                break;
            case "message:new":
                messages.TryAdd(data["id"]!.GetValue<string>(), false);
                break;
            case "message:deleted":
                messages[data["id"]!.GetValue<string>()] = false;
                break;
        }
    }
}
