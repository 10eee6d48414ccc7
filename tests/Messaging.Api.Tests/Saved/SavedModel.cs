using System.Text.Json.Nodes;

namespace Messaging.Api.Tests.Saved;

/// <summary>
/// What a careful client keeps of which messages its user has saved: a page of the history, and every event folded into it by the rules of
/// docs/integrating.md.
/// </summary>
public sealed class SavedModel(JsonArray page)
{
    private readonly Dictionary<string, (long Seq, bool Saved)> messages = page.ToDictionary(
        message => message!["id"]!.GetValue<string>(),
        message => (message!["seq"]!.GetValue<long>(), message["deleted"] is null && message["saved"]!.GetValue<bool>()));

    /// <summary>What the client shows as saved.</summary>
    public IReadOnlyList<string> Saved =>
        [.. messages.Where(message => message.Value.Saved).Select(message => message.Key).Order(StringComparer.Ordinal)];

    public void Apply(JsonObject envelope)
    {
        var data = envelope["data"]!;
        switch (envelope["type"]!.GetValue<string>())
        {
            case "message:saved" when messages.TryGetValue(data["messageId"]!.GetValue<string>(), out var message):
                messages[data["messageId"]!.GetValue<string>()] = (message.Seq, data["saved"]!.GetValue<bool>());
                break;
            case "message:new":
                messages.TryAdd(data["id"]!.GetValue<string>(), (data["seq"]!.GetValue<long>(), false));
                break;
            case "message:deleted":
                messages[data["id"]!.GetValue<string>()] = (data["seq"]!.GetValue<long>(), false);
                break;
            // What is cleared is out of sight, and what was saved of it with that.
            case "settings:updated":
                foreach (var (id, message) in messages.Where(one => one.Value.Seq <= data["clearedSeq"]!.GetValue<long>()).ToList())
                    messages[id] = (message.Seq, false);
                break;
        }
    }
}
