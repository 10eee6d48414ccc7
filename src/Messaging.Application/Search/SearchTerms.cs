using Messaging.Domain.Common;

namespace Messaging.Application.Search;

/// <summary>A word of a text, as PostgreSQL found it.</summary>
/// <param name="Place">Which word of the text it is, from 1.</param>
/// <param name="Start">Where it begins, in code points.</param>
/// <param name="Lexeme">The word without its case.</param>
public sealed record TextWord(long Place, int Start, int Length, string Lexeme);

/// <summary>Words that follow each other; mostly one.</summary>
/// <param name="IsOpen">Whether the last of them may be the beginning of a word only.</param>
public sealed record SearchTerm(IReadOnlyList<string> Lexemes, bool IsOpen)
{
    private const int MostWords = 16;

    /// <summary>In the language of <c>tsquery</c>.</summary>
    public string Query =>
        $"({string.Join(" <-> ", Lexemes.Select((lexeme, i) => Quote(lexeme) + (IsOpen && i == Lexemes.Count - 1 ? ":*" : "")))})";

    /// <summary>Refuses more words than one search may take: nobody remembers so many, and each is looked up.</summary>
    public static void EnsureFew(IReadOnlyList<SearchTerm> terms)
    {
        var words = terms.Sum(term => term.Lexemes.Count);
        if (words > MostWords)
            throw CommonErrors.Invalid("q", $"At most {MostWords} different words are expected; these are {words}.");
    }

    /// <summary>Whether the term stands in the words from <paramref name="from"/> on.</summary>
    public bool Stands(IReadOnlyList<TextWord> words, int from)
    {
        if (from + Lexemes.Count > words.Count)
            return false;
        for (var i = 0; i < Lexemes.Count; i++)
        {
            var word = words[from + i];
            if (word.Place != words[from].Place + i || !Fits(i, word.Lexeme))
                return false;
        }
        return true;
    }

    /// <summary>Whether a word may stand for the one of a number.</summary>
    public bool Fits(int i, ReadOnlySpan<char> word) => IsOpen && i == Lexemes.Count - 1
        ? word.StartsWith(Lexemes[i], StringComparison.OrdinalIgnoreCase)
        : word.Equals(Lexemes[i], StringComparison.OrdinalIgnoreCase);

    private static string Quote(string lexeme) =>
        "'" + lexeme.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'";
}
