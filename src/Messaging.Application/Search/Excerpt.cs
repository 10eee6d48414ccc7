using System.Globalization;
using System.Text;
using Messaging.Application.Common;

namespace Messaging.Application.Search;

/// <summary>What is shown of a text: all of a short one, of a long one the part around the first place where a term stands.</summary>
/// <param name="Text">The part.</param>
/// <param name="Around">The part and a little more on both sides, so that the words at its ends are read whole.</param>
/// <param name="Before">Code points of <paramref name="Around"/> before the part.</param>
/// <param name="IsCutBefore">Whether the text begins before the part.</param>
/// <param name="IsCutAfter">Whether it goes on after it.</param>
public sealed record Excerpt(string Text, string Around, int Before, bool IsCutBefore, bool IsCutAfter)
{
    /// <summary>Code points of a text that is not cut.</summary>
    private const int Longest = 200;

    /// <summary>Code points before the first place in one that is.</summary>
    private const int Lead = 40;

    /// <summary>Code points around the part. A word that is longer, and reaches into the part, is not marked.</summary>
    private const int Margin = 64;

    public static Excerpt Of(string text, IReadOnlyList<SearchTerm> terms)
    {
        if (StrictText.Length(text) <= Longest)
            return new Excerpt(text, text, 0, IsCutBefore: false, IsCutAfter: false);
        var start = Math.Min(Back(text, FirstPlace(text, terms), Lead), Back(text, text.Length, Longest));
        var end = Forth(text, start, Longest);
        var (from, to) = (Back(text, start, Margin), Forth(text, end, Margin));
        return new Excerpt(text[start..end], text[from..to], StrictText.Length(text[from..start]), start > 0, end < text.Length);
    }

    // By words as .NET knows them, which are PostgreSQL's but for odd signs; where no term stands by these, the part is the text's
    // beginning.
    private static int FirstPlace(string text, IReadOnlyList<SearchTerm> terms)
    {
        var words = Words(text);
        for (var from = 0; from < words.Count; from++)
        {
            foreach (var term in terms)
            {
                if (Stands(term, from))
                    return words[from].Start;
            }
        }
        return 0;

        bool Stands(SearchTerm term, int from)
        {
            if (from + term.Lexemes.Count > words.Count)
                return false;
            for (var i = 0; i < term.Lexemes.Count; i++)
            {
                var (start, end) = words[from + i];
                if (!term.Fits(i, text.AsSpan(start, end - start)))
                    return false;
            }
            return true;
        }
    }

    private static List<(int Start, int End)> Words(string text)
    {
        var words = new List<(int, int)>();
        var (start, end) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsOfWord(rune))
            {
                if (start < end)
                    words.Add((start, end));
                start = end + rune.Utf16SequenceLength;
            }
            end += rune.Utf16SequenceLength;
        }
        if (start < end)
            words.Add((start, end));
        return words;
    }

    private static bool IsOfWord(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static int Back(string text, int index, int codePoints)
    {
        for (; codePoints > 0 && index > 0; codePoints--)
            index -= char.IsLowSurrogate(text[index - 1]) ? 2 : 1;
        return index;
    }

    private static int Forth(string text, int index, int codePoints)
    {
        for (; codePoints > 0 && index < text.Length; codePoints--)
            index += char.IsHighSurrogate(text[index]) ? 2 : 1;
        return index;
    }
}
