using Messaging.Application.Common;

namespace Messaging.Application.Search;

/// <summary>Where a message has what was looked for; never markup.</summary>
/// <param name="Text">The text, or the part of a long one around the first place; <c>…</c> stands where it was cut.</param>
/// <param name="Ranges">Places in <paramref name="Text"/> as <c>[start, length]</c>, in code points, ascending and apart from each other.</param>
public sealed record Highlight(string Text, IReadOnlyList<IReadOnlyList<int>> Ranges)
{
    /// <summary>Code points of a text that is not cut.</summary>
    private const int Longest = 200;

    /// <summary>Code points before the first place in one that is.</summary>
    private const int Lead = 40;

    /// <summary>Marks the terms in a text.</summary>
    /// <param name="words">Those of the text's words that a term may have, in their order.</param>
    public static Highlight Of(string text, IReadOnlyList<TextWord> words, IReadOnlyList<SearchTerm> terms)
    {
        var places = Places(words, terms);
        var length = StrictText.Length(text);
        if (length <= Longest)
            return new Highlight(text, [.. places.Select(place => Range(place.Start, place.Length))]);

        var start = Math.Min(Math.Max((places.FirstOrDefault()?.Start ?? 0) - Lead, 0), length - Longest);
        var end = start + Longest;
        var before = start > 0 ? "…" : "";
        return new Highlight(
            $"{before}{string.Concat(text.EnumerateRunes().Skip(start).Take(Longest))}{(end < length ? "…" : "")}",
            [.. places.Where(place => place.Start >= start && place.Start + place.Length <= end)
                .Select(place => Range(place.Start - start + before.Length, place.Length))]);
    }

    private static List<TextWord> Places(IReadOnlyList<TextWord> words, IReadOnlyList<SearchTerm> terms)
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
