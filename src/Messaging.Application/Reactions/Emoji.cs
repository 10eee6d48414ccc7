using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Messaging.Application.Reactions;

/// <summary>
/// Knows what an emoji is: a sequence of Unicode's list (UTS #51), or a host's own <c>:name:</c>. Each has one form here, so that one
/// emoji is one reaction: the fully-qualified one, whichever of its U+FE0F are left out or too many; a name in lower case between colons,
/// with which it is given or without.
/// </summary>
public static class Emoji
{
    /// <summary>Characters of a <c>:name:</c>, colons included; no sequence of Unicode's has as many.</summary>
    public const int MaxLength = 64;

    private const char EmojiStyle = '\ufe0f';
    private const char Joiner = '\u200d';

    private static readonly FrozenDictionary<string, string> ByKey = Read();

    /// <summary>All of Unicode's list, each in its one form.</summary>
    public static IReadOnlyCollection<string> All => ByKey.Values;

    /// <summary>The one form of an emoji; null for what is none.</summary>
    public static string? Of(string text)
    {
        if (text.Length is 0 or > MaxLength)
            return null;
        if (ByKey.TryGetValue(text, out var plain))
            return plain;
        if (HasStyleInPlace(text) && ByKey.TryGetValue(KeyOf(text), out plain))
            return plain;
        var name = text is [':', .. var inner, ':'] ? inner : text;
        return IsName(name) ? $":{name.ToLowerInvariant()}:" : null;
    }

    // Of 1 to 62 letters, digits, _ + and -.
    private static bool IsName(string name) =>
        name.Length is > 0 and <= MaxLength - 2 && name.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-");

    // At most one after a character, and none that has nothing to style.
    private static bool HasStyleInPlace(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == EmojiStyle && (i == 0 || text[i - 1] is EmojiStyle or Joiner))
                return false;
        }
        return true;
    }

    private static string KeyOf(string text) => text.Replace("\ufe0f", "", StringComparison.Ordinal);

    private static FrozenDictionary<string, string> Read()
    {
        using var reader = new StreamReader(typeof(Emoji).Assembly.GetManifestResourceStream("emoji.txt")!);
        return reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith('#'))
            .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .SelectMany(
                entry => Expand(entry.Replace("*", ".*", StringComparison.Ordinal).Replace("!", ".!", StringComparison.Ordinal).Split('.')))
            .ToFrozenDictionary(KeyOf, StringComparer.Ordinal);
    }

    // The skin tones in all the ways that an entry stands for.
    private static List<string> Expand(string[] parts)
    {
        List<(string Text, string? Tone)> texts = [("", null)];
        foreach (var part in parts)
        {
            texts = part is "*" or "!"
                ? [.. texts.SelectMany(
                    text => Tones.Where(tone => part == "*" || tone != text.Tone).Select(tone => (text.Text + tone, (string?)tone)))]
                : texts.ConvertAll(
                    text => (text.Text + new Rune(int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)), text.Tone));
        }
        return texts.ConvertAll(text => text.Text);
    }

    private static IEnumerable<string> Tones => Enumerable.Range(0x1f3fb, 5).Select(char.ConvertFromUtf32);
}
