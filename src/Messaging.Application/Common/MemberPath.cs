using System.Text;
using Messaging.Domain.Common;

namespace Messaging.Application.Common;

/// <summary>Writes where in a request something stands, as a <see cref="Problem"/> names it.</summary>
public static class MemberPath
{
    /// <summary>Of the one member that has no name. No other path begins so: a / within a name is escaped.</summary>
    public const string Nameless = "/";

    // A member's name is the client's; a path need not carry a book.
    private const int LongestName = 100;

    /// <summary>
    /// Of a property (<c>ParticipantIds[3]</c>) the member (<c>participantIds/3</c>). What stands after a / is such a path already.
    /// </summary>
    public static string Of(string property)
    {
        var path = new StringBuilder();
        var below = property.IndexOf('/', StringComparison.Ordinal);
        var members = below < 0 ? property : property[..below];
        foreach (var part in members.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries))
            path.Append(path.Length == 0 ? "" : "/").Append(char.ToLowerInvariant(part[0])).Append(part.AsSpan(1));
        return path.Append(property.AsSpan(below < 0 ? property.Length : below)).ToString();
    }

    /// <summary>Of members by the client's names of them, from the outside in; empty for none, which is all of the request.</summary>
    public static string Of(IReadOnlyCollection<string> names) => names.Count == 1 && names.First().Length == 0
        ? Nameless
        : string.Join('/', names.Select(Step));

    // A client's name of a member as one step of a path.
    public static string Step(string name) => StrictText.First(name, LongestName)
        .Replace("~", "~0", StringComparison.Ordinal)
        .Replace("/", "~1", StringComparison.Ordinal);
}
