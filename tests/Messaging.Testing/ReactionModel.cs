using System.Text.Json.Nodes;

namespace Messaging.Testing;

/// <summary>
/// What a careful client keeps of the reactions to some messages: a page of the history, and every <c>message:reaction</c> folded into it
/// by the rules of docs/integrating.md.
/// </summary>
public sealed class ReactionModel
{
    private readonly string user;
    private readonly Dictionary<string, List<Group>> messages;

    public ReactionModel(string user, JsonArray page)
    {
        this.user = user;
        messages = page.ToDictionary(
            message => message!["id"]!.GetValue<string>(),
            message => message!["reactions"]!.AsArray().Select(group => Group.Of(group!)).ToList());
    }

    /// <summary>What the client shows, message by message.</summary>
    public IReadOnlyList<string> Shown => [.. messages.Select(message => $"{message.Key}: {string.Join("; ", message.Value)}")];

    public void Apply(JsonObject envelope)
    {
        var data = envelope["data"]!;
        if (envelope["type"]!.GetValue<string>() != "message:reaction"
            || !messages.TryGetValue(data["messageId"]!.GetValue<string>(), out var groups))
            return;
        var (emoji, who, count) = (data["emoji"]!.GetValue<string>(), data["userId"]!.GetValue<string>(), data["count"]!.GetValue<int>());
        var at = groups.FindIndex(group => group.Emoji == emoji);
        if (count == 0)
        {
            groups.RemoveAt(at);
            return;
        }
        if (at < 0)
            groups.Add(new Group(emoji, 0, Mine: false, []));
        var known = groups[at < 0 ? ^1 : at];
        var added = data["added"]!.GetValue<bool>();
        IEnumerable<string> users = added ? known.UserIds.Append(who).Distinct().Take(10) : known.UserIds.Where(id => id != who);
        groups[at < 0 ? ^1 : at] = known with { Count = count, Mine = who == user ? added : known.Mine, UserIds = [.. users] };
    }

    private sealed record Group(string Emoji, int Count, bool Mine, IReadOnlyList<string> UserIds)
    {
        public static Group Of(JsonNode group) => new(
            group["emoji"]!.GetValue<string>(), group["count"]!.GetValue<int>(), group["mine"]!.GetValue<bool>(),
            [.. group["userIds"]!.AsArray().Select(id => id!.GetValue<string>())]);

        public override string ToString() => $"{Emoji} {Count} {Mine} {string.Join(' ', UserIds)}";
    }
}
