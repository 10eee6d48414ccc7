using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Messaging.Application.Common;

/// <summary>
/// Escapes what the framework's relaxed encoder does, but leaves characters beyond the basic plane, such as emoji, as they are: escaped,
/// they are three times as long. Half a surrogate pair becomes U+FFFD.
/// </summary>
public sealed class WholeTextEncoder : JavaScriptEncoder
{
    public static readonly WholeTextEncoder Instance = new();

    private WholeTextEncoder()
    {
    }

    public override int MaxOutputCharactersPerInputCharacter => UnsafeRelaxedJsonEscaping.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar <= char.MaxValue && UnsafeRelaxedJsonEscaping.WillEncode(unicodeScalar);

    public override unsafe bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        UnsafeRelaxedJsonEscaping.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);

    public override unsafe int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (var at = 0; ; at += 2)
        {
            var found = UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncode(text + at, textLength - at);
            if (found < 0)
                return -1;
            at += found;
            if (at + 1 >= textLength || !char.IsSurrogatePair(text[at], text[at + 1]))
                return at;
        }
    }

    public override int FindFirstCharacterToEncodeUtf8(ReadOnlySpan<byte> utf8Text)
    {
        for (var at = 0; ;)
        {
            var found = UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncodeUtf8(utf8Text[at..]);
            if (found < 0)
                return -1;
            at += found;
            if (Rune.DecodeFromUtf8(utf8Text[at..], out var rune, out var length) is not OperationStatus.Done || rune.IsBmp)
                return at;
            at += length;
        }
    }
}
