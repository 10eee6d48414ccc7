using System.Text.RegularExpressions;
using Messaging.Application.Push;

namespace Messaging.Application.Notifications;

/// <summary>The rules of <see cref="PushSettings.Templates"/>.</summary>
public static partial class PushTemplateRules
{
    private const string Placeholders = "{sender}, {conversation}, {preview} and {count}";

    internal static IEnumerable<string> Errors(PushSettings settings)
    {
        if (!UserLanguage.IsValid(settings.Language))
            yield return "Language: a language tag such as en or pt-BR is expected.";
        foreach (var (kind, languages) in settings.Templates)
        {
            if (!PushTexts.Kinds.Contains(kind))
            {
                yield return $"Templates__{kind}: the kinds are {string.Join(", ", PushTexts.Kinds)}.";
                continue;
            }
            foreach (var error in languages.SelectMany(pair => Errors(kind, pair.Key, pair.Value)))
                yield return $"Templates__{error}";
        }
    }

    /// <summary>What stands in braces and is filled in.</summary>
    [GeneratedRegex(@"\{(?:sender|conversation|preview|count)\}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    internal static partial Regex Placeholder();

    private static IEnumerable<string> Errors(string kind, string language, PushTemplate template)
    {
        if (!UserLanguage.IsValid(language))
            yield return $"{kind}__{language}: in its place a language tag such as en or pt-BR is expected.";
        foreach (var (member, text) in template.Members)
        {
            if (text?.Length > PushTemplate.MaxLength)
                yield return $"{kind}__{language}__{member}: at most {PushTemplate.MaxLength} characters are expected.";
            if (text is not null && Placeholder().Replace(text, "").AsSpan().ContainsAny('{', '}'))
                yield return $"{kind}__{language}__{member}: in braces, only {Placeholders} are filled in.";
        }
    }
}
