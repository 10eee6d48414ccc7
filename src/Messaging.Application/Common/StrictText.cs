using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Messaging.Application.Common;

/// <summary>Text as PostgreSQL can keep it and as it comes back verbatim: any Unicode but NUL and half a surrogate pair.</summary>
public static class StrictText
{
    public static bool IsStorable(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            return false;
        var rest = text.AsSpan();
        for (var i = rest.IndexOfAnyInRange('\ud800', '\udfff'); i >= 0; i = rest.IndexOfAnyInRange('\ud800', '\udfff'))
        {
            if (Rune.DecodeFromUtf16(rest[i..], out _, out var used) is not System.Buffers.OperationStatus.Done)
                return false;
            rest = rest[(i + used)..];
        }
        return true;
    }

    public static void Check(string text)
    {
        if (!IsStorable(text))
            throw new JsonException("Text must not hold U+0000 or half a surrogate pair.");
    }

    /// <summary>Refuses bytes of another encoding, such as Latin-1.</summary>
    public static void CheckUtf8(ReadOnlySpan<byte> bytes)
    {
        if (!Utf8.IsValid(bytes))
            throw new JsonException("The text is not in UTF-8.");
    }

    /// <summary>Code points, which is how every length in the contract is counted.</summary>
    public static int Length(string text)
    {
        var count = 0;
        foreach (var c in text)
        {
            if (!char.IsLowSurrogate(c))
                count++;
        }
        return count;
    }

    /// <summary>The first <paramref name="codePoints"/> of a text, no character cut in half.</summary>
    public static string First(string text, int codePoints)
    {
        if (text.Length <= codePoints)
            return text;
        var end = 0;
        for (var count = 0; count < codePoints && end < text.Length; count++)
            end += char.IsHighSurrogate(text[end]) && end + 1 < text.Length ? 2 : 1;
        return text[..end];
    }
}
