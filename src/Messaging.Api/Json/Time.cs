using System.Diagnostics.CodeAnalysis;
using NodaTime;
using NodaTime.Text;

namespace Messaging.Api.Json;

/// <summary>A time in a query string, as the JSON writes it: RFC 3339 in UTC.</summary>
public readonly record struct Time(Instant Value) : IParsable<Time>
{
    public static Time Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var time) ? time : throw new FormatException("A time such as 2026-11-20T10:15:30.123Z is expected.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Time result)
    {
        var parsed = InstantPattern.ExtendedIso.Parse(s ?? "");
        result = parsed.Success ? new Time(parsed.Value) : default;
        return parsed.Success;
    }
}
