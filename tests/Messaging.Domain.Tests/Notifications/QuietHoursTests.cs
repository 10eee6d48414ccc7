using Messaging.Domain.Notifications;
using NodaTime;
using NodaTime.Text;

namespace Messaging.Domain.Tests.Notifications;

public sealed class QuietHoursTests
{
    private static readonly DateTimeZone Berlin = DateTimeZoneProviders.Tzdb["Europe/Berlin"];

    private static readonly IReadOnlySet<IsoDayOfWeek> EveryDay = Enum.GetValues<IsoDayOfWeek>().ToHashSet();

    // From Saturday, 28 November 2026, when Berlin is an hour ahead.
    [TestCase("2026-11-28T20:59:59Z", null)]
    [TestCase("2026-11-28T21:00:00Z", "2026-11-29T06:00:00Z")]
    [TestCase("2026-11-29T05:59:59Z", "2026-11-29T06:00:00Z")]
    [TestCase("2026-11-29T06:00:00Z", null)]
    public void Those_over_night_end_in_the_morning(string now, string? end) =>
        Assert.That(EndOf("22:00", "07:00", EveryDay, now), Is.EqualTo(end));

    [TestCase("2026-11-28T12:30:00Z", "2026-11-28T13:00:00Z")]
    [TestCase("2026-11-28T13:00:00Z", null)]
    public void Those_of_an_afternoon_end_on_the_same_day(string now, string? end) =>
        Assert.That(EndOf("13:00", "14:00", EveryDay, now), Is.EqualTo(end));

    // The night from Saturday to Sunday belongs to Saturday.
    [TestCase("2026-11-29T02:00:00Z", "2026-11-29T06:00:00Z")]
    [TestCase("2026-11-29T22:00:00Z", null)]
    public void They_hold_on_the_days_on_which_they_begin(string now, string? end) =>
        Assert.That(EndOf("22:00", "07:00", new HashSet<IsoDayOfWeek> { IsoDayOfWeek.Saturday }, now), Is.EqualTo(end));

    // On 29 March 2026 the clock goes from 2:00 to 3:00, on 25 October back from 3:00 to 2:00.
    [TestCase("02:30", "2026-03-29T00:59:00Z", "2026-03-29T01:30:00Z")]
    [TestCase("07:00", "2026-10-25T02:30:00Z", "2026-10-25T06:00:00Z")]
    public void They_end_by_the_clock_also_where_it_is_changed_meanwhile(string to, string now, string end) =>
        Assert.That(EndOf("22:00", to, EveryDay, now), Is.EqualTo(end));

    private static string? EndOf(string from, string to, IReadOnlySet<IsoDayOfWeek> days, string now)
    {
        var pattern = LocalTimePattern.CreateWithInvariantCulture("HH:mm");
        var hours = new QuietHours(pattern.Parse(from).Value, pattern.Parse(to).Value, Berlin, days);
        return hours.EndOf(InstantPattern.General.Parse(now).Value)?.ToString();
    }
}
