using Messaging.Application.Common;

namespace Messaging.Application.Search;

/// <summary>Where a message matches the query; never markup.</summary>
/// <param name="Text">The text, or the part of a long text around the first match; <c>…</c> marks where it was cut.</param>
/// <param name="Ranges">Matches as <c>[start, length]</c> in <paramref name="Text"/>, in code points, ascending, not overlapping.</param>
public sealed record Highlight(string Text, IReadOnlyList<IReadOnlyList<int>> Ranges)
{
    /// <summary>Marks the terms in what is shown of a text.</summary>
    /// <param name="words">Those of the words of <see cref="Excerpt.Around"/> that a term may have, in their order.</param>
    public static Highlight Of(Excerpt excerpt, IReadOnlyList<TextWord> words, IReadOnlyList<SearchTerm> terms)
    {
        var (begin, end) = (excerpt.IsCutBefore ? "…" : "", excerpt.IsCutAfter ? "…" : "");
        var (last, whole) = (excerpt.Before + StrictText.Length(excerpt.Text), StrictText.Length(excerpt.Around));
        // What touches an end of what was read may be a part of a word only.
        var known = words
            .Where(word => (!excerpt.IsCutBefore || word.Start > 0) && (!excerpt.IsCutAfter || word.Start + word.Length < whole))
            .ToList();
        return new Highlight(
            $"{begin}{excerpt.Text}{end}",
            [.. Places(known, terms).Where(place => place.Start >= excerpt.Before && place.Start + place.Length <= last)
                .Select(place => Range(place.Start - excerpt.Before + begin.Length, place.Length))]);
    }

    private static List<TextWord> Places(List<TextWord> words, IReadOnlyList<SearchTerm> terms)
    {
        var marked = new SortedDictionary<int, TextWord>();
        for (var from = 0; from < words.Count; from++)
        {
            foreach (var term in terms.Where(term => term.Stands(words, from)))
            {
                for (var i = 0; i < term.Lexemes.Count; i++)
                    marked[words[from + i].Start] = words[from + i];
            }
        }
        return [.. marked.Values];
    }

    private static IReadOnlyList<int> Range(int start, int length) => [start, length];
}
