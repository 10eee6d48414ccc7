using System.Text.RegularExpressions;

namespace Messaging.Application.Notifications;

/// <summary>A language tag (BCP 47), such as <c>en</c> or <c>pt-BR</c>.</summary>
public static partial class UserLanguage
{
    public static bool IsValid(string tag) => tag.Length <= 35 && Tag().IsMatch(tag);

    /// <summary>The tag, and what it is a variety of, the nearest first: <c>zh-Hant-TW</c>, <c>zh-Hant</c>, <c>zh</c>.</summary>
    public static IEnumerable<string> Broader(string tag)
    {
        for (var end = tag.Length; end > 0; end = tag.LastIndexOf('-', end - 1))
            yield return tag[..end];
    }

    [GeneratedRegex("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tag();
}
