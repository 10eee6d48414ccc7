using System.Diagnostics.CodeAnalysis;
using Messaging.Application.Common;

namespace Messaging.Api.Json;

/// <summary>An enumeration in a query string, in the words of the JSON: lower case, and no number.</summary>
public readonly record struct EnumName<T>(T Value) : IParsable<EnumName<T>>
    where T : struct, Enum
{
    /// <summary>The words, in the order in which they are declared.</summary>
    public static string[] Names { get; } = [.. Enum.GetNames<T>().Select(MessagingJson.EnumNaming.ConvertName)];

    public static EnumName<T> Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var word) ? word : throw new FormatException($"Expected: one of {string.Join(", ", Names)}.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out EnumName<T> result)
    {
        var index = Array.IndexOf(Names, s);
        result = index < 0 ? default : new EnumName<T>(Enum.GetValues<T>()[index]);
        return index >= 0;
    }
}
