using System.Diagnostics.CodeAnalysis;
using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Api.Json;

/// <summary>A time in a query string, as the JSON takes it: RFC 3339.</summary>
public readonly record struct TimeParameter(Instant Value) : IParsable<TimeParameter>
{
    public static TimeParameter Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var time) ? time : throw new FormatException($"Expected: {MessagingJson.Expected[typeof(Instant)]}.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out TimeParameter result)
    {
        // A plus that was not escaped arrives as a space.
        var isTime = Rfc3339.TryParse((s ?? "").Replace(' ', '+'), out var time);
        result = new TimeParameter(time);
        return isTime;
    }
}
