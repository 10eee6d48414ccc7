using System.Buffers;
using Messaging.Application.Common;

namespace Messaging.Application.Conversations;

/// <summary>The shape of what a group says of itself.</summary>
public static class GroupRules
{
    public const string NameExpected = "A group's name has 1 to 200 characters.";
    public const string DescriptionExpected = "A description has at most 1,000 characters.";
    public const string SlugExpected = "A slug has 3 to 100 characters out of a-z, 0-9 and -.";

    private static readonly SearchValues<char> SlugCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    public static bool IsName(string? name) => !string.IsNullOrWhiteSpace(name) && StrictText.Length(name) <= 200;

    public static bool IsDescription(string? text) => text is null || StrictText.Length(text) <= 1000;

    public static bool IsSlug(string? slug) =>
        slug is null || (slug.Length is >= 3 and <= 100 && !slug.AsSpan().ContainsAnyExcept(SlugCharacters));
}
