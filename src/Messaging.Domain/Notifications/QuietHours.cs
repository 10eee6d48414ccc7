using NodaTime;
using NodaTime.TimeZones;

namespace Messaging.Domain.Notifications;

/// <summary>When a user is not to be disturbed, by the clock on the user's wall.</summary>
/// <param name="To">On the next day, unless it is later than <paramref name="From"/>.</param>
/// <param name="Days">The days on which quiet hours begin.</param>
public sealed record QuietHours(LocalTime From, LocalTime To, DateTimeZone Zone, IReadOnlySet<IsoDayOfWeek> Days)
{
    /// <summary>When they end, if they are going on; else null.</summary>
    public Instant? EndOf(Instant now)
    {
        var today = now.InZone(Zone).Date;
        return EndOf(today, now) ?? EndOf(today.PlusDays(-1), now);
    }

    // A time that the clock skips is moved on by the gap (02:30 becomes 03:30); of one that it shows twice, the first counts.
    private Instant? EndOf(LocalDate day, Instant now)
    {
        if (!Days.Contains(day.DayOfWeek))
            return null;
        var end = InstantOf((To > From ? day : day.PlusDays(1)) + To);
        return InstantOf(day + From) <= now && now < end ? end : null;
    }

    private Instant InstantOf(LocalDateTime time) => Zone.ResolveLocal(time, Resolvers.LenientResolver).ToInstant();
}
