namespace Messaging.Application.Search;

/// <summary>A part of what is looked for: words in any place, or a phrase, whose words follow each other.</summary>
/// <param name="IsOpen">Whether its last word may go on: it is the last of all, and no closing quote ends it.</param>
public sealed record SearchPart(string Text, bool IsPhrase, bool IsOpen);

/// <summary>Reads what somebody types into a search box: words, and phrases in double quotes.</summary>
public static class SearchText
{
    public static IReadOnlyList<SearchPart> Parse(string q)
    {
        var pieces = q.Split(['"', '“', '”', '„']);
        var parts = pieces.Select((text, i) => new SearchPart(text, IsPhrase: i % 2 == 1, IsOpen: i == pieces.Length - 1));
        return [.. parts.Where(part => !string.IsNullOrWhiteSpace(part.Text))];
    }
}
