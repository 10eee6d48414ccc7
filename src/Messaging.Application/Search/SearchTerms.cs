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
    /// <summary>In the language of <c>tsquery</c>.</summary>
    public string Query => $"({string.Join(" <-> ", Lexemes.Select((lexeme, i) => Quote(lexeme) + (IsOpen && i == Lexemes.Count - 1 ? ":*" : "")))})";

    /// <summary>Whether the term stands in the words from <paramref name="from"/> on.</summary>
    public bool Stands(IReadOnlyList<TextWord> words, int from)
    {
        if (from + Lexemes.Count > words.Count)
            return false;
        for (var i = 0; i < Lexemes.Count; i++)
        {
            var word = words[from + i];
            if (word.Place != words[from].Place + i || !Fits(word.Lexeme, i))
                return false;
        }
        return true;
    }

    private bool Fits(string lexeme, int i) => IsOpen && i == Lexemes.Count - 1
        ? lexeme.StartsWith(Lexemes[i], StringComparison.Ordinal)
        : string.Equals(lexeme, Lexemes[i], StringComparison.Ordinal);

    private static string Quote(string lexeme) =>
        "'" + lexeme.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal) + "'";
}
