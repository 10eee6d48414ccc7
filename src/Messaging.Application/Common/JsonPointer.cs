using System.Text;

namespace Messaging.Application.Common;

/// <summary>Writes the path of a member (<c>ParticipantIds[3]</c>) as a client's JSON pointer fragment (<c>#/participantIds/3</c>).</summary>
public static class JsonPointer
{
    public static string Of(string path)
    {
        var pointer = new StringBuilder("#");
        foreach (var part in path.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries))
            pointer.Append('/').Append(char.ToLowerInvariant(part[0])).Append(part.AsSpan(1));
        return pointer.ToString();
    }
}
