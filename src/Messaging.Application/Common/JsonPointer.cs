using System.Text;

namespace Messaging.Application.Common;

/// <summary>Writes the path of a member (<c>ParticipantIds[3]</c>) as a client's JSON pointer fragment (<c>#/participantIds/3</c>).</summary>
public static class JsonPointer
{
    // A member's name is the client's; a pointer need not carry a book.
    private const int LongestName = 100;

    /// <summary>The pointer. What stands after a <c>#</c> in the path is one already, below that member.</summary>
    public static string Of(string path)
    {
        var pointer = new StringBuilder("#");
        var below = path.IndexOf('#', StringComparison.Ordinal);
        var members = below < 0 ? path : path[..below];
        foreach (var part in members.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries))
            pointer.Append('/').Append(char.ToLowerInvariant(part[0])).Append(part.AsSpan(1));
        return pointer.Append(path.AsSpan(below < 0 ? path.Length : below + 1)).ToString();
    }

    /// <summary>A client's name of a member as one step of a pointer.</summary>
    public static string Escape(string name) => StrictText.First(name, LongestName)
        .Replace("~", "~0", StringComparison.Ordinal)
        .Replace("/", "~1", StringComparison.Ordinal);
}
