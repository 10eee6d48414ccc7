using System.Globalization;
using Messaging.Application.Push;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Application.Notifications;

/// <summary>Puts notifications into words, in each user's language.</summary>
public sealed class PushTexts
{
    private const string Message = "message";
    private const string Direct = "direct";
    private const string Mention = "mention";
    private const string Unsaid = "text";
    private const string Someone = "someone";
    private const string Group = "group";

    // For what has no name and what has no text to show, such as a picture, one word each.
    private static readonly Dictionary<string, PushTemplate> BuiltIn = new(StringComparer.OrdinalIgnoreCase)
    {
        [Message] = new()
        {
            Title = "{conversation}", Body = "{sender}: {preview}", Many = "{sender}: {preview} ({count} new messages)",
        },
        [Direct] = new() { Title = "{sender}", Body = "{preview}", Many = "{preview} ({count} new messages)" },
        [Mention] = new() { Title = "{sender} mentioned you", Body = "{preview}" },
        [Unsaid] = new() { Body = "New message" },
        ["image"] = new() { Body = "Picture" },
        ["file"] = new() { Body = "File" },
        ["voice"] = new() { Body = "Voice message" },
        ["video"] = new() { Body = "Video" },
        ["location"] = new() { Body = "Location" },
        ["shared"] = new() { Body = "Shared with you" },
        [Someone] = new() { Body = "Someone" },
        [Group] = new() { Body = "Group" },
    };

    private readonly Dictionary<(string Kind, string Language), PushTemplate> given = [];
    private readonly string language;

    public PushTexts(PushSettings settings)
    {
        language = settings.Language;
        foreach (var (kind, languages) in settings.Templates)
        {
            foreach (var (tag, template) in languages)
                given[Key(kind, tag)] = template;
        }
    }

    /// <summary>What there are templates for.</summary>
    public static IReadOnlySet<string> Kinds { get; } = BuiltIn.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Title and body. What stands in a message or a name is taken as it is, braces too.</summary>
    internal (string Title, string Body) Of(NotificationRow row)
    {
        var isDirect = row.ConversationType is ConversationType.Direct;
        var kind = row.Type is NotificationType.Mention ? Mention : isDirect ? Direct : Message;
        var many = row.Count > 1 ? Find(kind, row.Language, template => template.Many) : null;
        var body = many ?? Find(kind, row.Language, template => template.Body)!;
        return (Fill(Find(kind, row.Language, template => template.Title)!), Fill(body));

        string Fill(string template) => PushTemplateRules.Placeholder().Replace(template, match => match.Value switch
        {
            "{sender}" => Sender(),
            "{conversation}" => isDirect ? Sender() : row.Name ?? Word(Group),
            "{preview}" => Preview(),
            _ => row.Count.ToString(CultureInfo.InvariantCulture),
        });

        string Sender() => row.SenderName ?? Word(Someone);

        string Preview() => row.Preview is { Length: > 0 } text ? OneLine(text) : Word(row.IsShown ? KindOf(row.MessageType) : Unsaid);

        string Word(string word) => Find(word, row.Language, template => template.Body)!;
    }

    private static string KindOf(MessageType? type) =>
        type?.ToString() is { } name && BuiltIn.ContainsKey(name) ? name : Unsaid;

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static (string Kind, string Language) Key(string kind, string tag) => (kind.ToLowerInvariant(), tag.ToLowerInvariant());

    private string? Find(string kind, string? own, Func<PushTemplate, string?> member)
    {
        foreach (var tag in (own is null ? [] : UserLanguage.Broader(own)).Concat(UserLanguage.Broader(language)))
        {
            if (given.TryGetValue(Key(kind, tag), out var template) && member(template) is { Length: > 0 } text)
                return text;
        }
        return member(BuiltIn[kind]);
    }
}
