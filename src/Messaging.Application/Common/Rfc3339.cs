using NodaTime;
using NodaTime.Text;

namespace Messaging.Application.Common;

/// <summary>Times as they may be written in requests: RFC 3339 with any offset; what is kept and answered is UTC.</summary>
public static class Rfc3339
{
    private static readonly Instant First = Instant.FromUtc(1, 1, 1, 0, 0);
    private static readonly Instant Last = Instant.FromUtc(9999, 12, 31, 23, 59, 59) + Duration.FromMilliseconds(999);

    public static bool TryParse(string text, out Instant time)
    {
        time = default;
        var parsed = OffsetDateTimePattern.Rfc3339.Parse(text.ToUpperInvariant());
        if (!parsed.Success)
            return false;
        // Not by the library's own conversion, which throws where it leaves the calendar.
        var (local, offset) = (parsed.Value.LocalDateTime.InUtc().ToInstant(), Duration.FromSeconds(parsed.Value.Offset.Seconds));
        if (local - First < offset || Last - local < -offset)
            return false;
        time = local - offset;
        return true;
    }
}
