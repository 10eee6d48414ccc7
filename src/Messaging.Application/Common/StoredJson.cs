using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Messaging.Application.Common;

/// <summary>
/// Free JSON as PostgreSQL keeps it (jsonb) and gives it back: a space after each comma and colon, strings with the fewest escapes, numbers
/// without an exponent. By that, a few bytes such as 1e-16383 would come back as thousands.
/// </summary>
public static class StoredJson
{
    /// <summary>Characters of a number as it is given back: any double has fewer.</summary>
    private const int NumberLength = 400;

    /// <summary>Objects and lists within each other. Readers commonly stop at 64, and what stands around the value counts too.</summary>
    private const int Depth = 32;

    private const int BeyondAnyExponent = 1_000_000;

    private static readonly SearchValues<char> OfNumbers = SearchValues.Create("-.0123456789");

    /// <summary>Refuses what cannot be kept, or would be far longer than it was.</summary>
    public static void Check(JsonElement element, int depth = 1)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object or JsonValueKind.Array when depth > Depth:
                throw new JsonException($"At most {Depth} objects and lists within each other are expected.");
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    StrictText.Check(member.Name);
                    Check(member.Value, depth + 1);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Check(item, depth + 1);
                break;
            case JsonValueKind.String:
                StrictText.Check(element.GetString()!);
                break;
            case JsonValueKind.Number:
                if (Length(JsonMarshal.GetRawUtf8Value(element)) > NumberLength)
                    throw new JsonException($"A number has at most {NumberLength} characters, written without an exponent.");
                if (!double.IsFinite(element.GetDouble()))
                    throw new JsonException("A number is too large.");
                break;
        }
    }

    /// <summary>
    /// What PostgreSQL gives back, with the nearest double in place of each number that is longer than is taken: the release before still
    /// writes such while it runs beside this one. Clients read it as that double anyway; one beyond any becomes null.
    /// </summary>
    public static string Bounded(string stored)
    {
        if (!MayHoldLongNumber(stored))
            return stored;
        var utf8 = Encoding.UTF8.GetBytes(stored);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var (bounded, copied) = (new ArrayBufferWriter<byte>(), 0);
        while (reader.Read())
        {
            if (reader.TokenType is not JsonTokenType.Number || reader.ValueSpan.Length <= NumberLength)
                continue;
            var nearest = reader.GetDouble();
            bounded.Write(utf8.AsSpan(copied, (int)reader.TokenStartIndex - copied));
            bounded.Write(Encoding.ASCII.GetBytes(double.IsFinite(nearest) ? nearest.ToString(CultureInfo.InvariantCulture) : "null"));
            copied = (int)reader.BytesConsumed;
        }
        bounded.Write(utf8.AsSpan(copied));
        return Encoding.UTF8.GetString(bounded.WrittenSpan);
    }

    // Whatever is that long reaches one of these places: most texts are looked at in none but these.
    private static bool MayHoldLongNumber(ReadOnlySpan<char> json)
    {
        for (var i = NumberLength; i < json.Length; i += NumberLength)
        {
            var before = json[..i].LastIndexOfAnyExcept(OfNumbers);
            var after = json[i..].IndexOfAnyExcept(OfNumbers);
            if ((after < 0 ? json.Length : i + after) - before - 1 > NumberLength)
                return true;
        }
        return false;
    }

    /// <summary>UTF-8 bytes of a value as it is given back.</summary>
    public static long Length(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Of(element.EnumerateObject().Select(member => Length(member.Name) + 2 + Length(member.Value))),
        JsonValueKind.Array => Of(element.EnumerateArray().Select(Length)),
        JsonValueKind.String => Length(element.GetString()!),
        JsonValueKind.Number => Length(JsonMarshal.GetRawUtf8Value(element)),
        JsonValueKind.False => 5,
        _ => 4,
    };

    // Between brackets, with a comma and a space between each two.
    private static long Of(IEnumerable<long> parts)
    {
        var (sum, count) = (2L, 0);
        foreach (var part in parts)
        {
            sum += part + (count > 0 ? 2 : 0);
            count++;
        }
        return sum;
    }

    private static long Length(string text)
    {
        var length = 2 + Encoding.UTF8.GetByteCount(text);
        foreach (var c in text)
        {
            length += c switch
            {
                '"' or '\\' or '\b' or '\f' or '\n' or '\r' or '\t' => 1,
                < ' ' => 5,
                _ => 0,
            };
        }
        return length;
    }

    /// <summary>Characters of a JSON number without an exponent, told from its parts, so that none is too large to be looked at.</summary>
    private static long Length(ReadOnlySpan<byte> number)
    {
        var isNegative = number[0] == '-';
        if (isNegative)
            number = number[1..];
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        var exponent = e < 0 ? 0 : Exponent(number[(e + 1)..]);
        if (Math.Abs(exponent) == BeyondAnyExponent)
            return int.MaxValue;
        var mantissa = e < 0 ? number : number[..e];
        var point = mantissa.IndexOf((byte)'.');
        var (whole, fraction) = point < 0 ? (mantissa.Length, 0) : (point, mantissa.Length - point - 1);
        var decimals = Math.Max(fraction - exponent, 0);
        var first = mantissa.IndexOfAnyExcept((byte)'0', (byte)'.');
        var digits = first < 0 ? 1 : Math.Max(whole + exponent - (point >= 0 && first > point ? first - 1 : first), 1);
        return (isNegative && first >= 0 ? 1 : 0) + digits + (decimals > 0 ? 1 + decimals : 0);
    }

    // As far as it matters: what is beyond has no end of zeros.
    private static int Exponent(ReadOnlySpan<byte> text)
    {
        var value = 0;
        foreach (var digit in text.TrimStart("+-"u8))
            value = Math.Min((value * 10) + digit - '0', BeyondAnyExponent);
        return text[0] == '-' ? -value : value;
    }
}
