using System.Diagnostics.CodeAnalysis;
using Messaging.Application.Common;

namespace Messaging.Api.Json;

/// <summary>An enumeration in a query string, in the words of the JSON: lower case, and no number.</summary>
public readonly record struct Word<T>(T Value) : IParsable<Word<T>>
    where T : struct, Enum
{
    /// <summary>The words, in the order in which they are declared.</summary>
    public static string[] Words { get; } = [.. Enum.GetNames<T>().Select(MessagingJson.Words.ConvertName)];

    public static Word<T> Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var word) ? word : throw new FormatException($"Expected is one of {string.Join(", ", Words)}.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Word<T> result)
    {
        var index = Array.IndexOf(Words, s);
        result = index < 0 ? default : new Word<T>(Enum.GetValues<T>()[index]);
        return index >= 0;
    }
}
