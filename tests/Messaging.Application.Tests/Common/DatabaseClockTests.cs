using System.Diagnostics;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Messaging.Application.Tests.Common;

/// <summary>Which answers of the database a node goes by.</summary>
public sealed class DatabaseClockTests
{
    private static readonly Instant Noon = Instant.FromUtc(2026, 11, 28, 12, 0);

    private readonly long now = Stopwatch.GetTimestamp();
    private readonly DatabaseClock clock = new(
        () => throw new InvalidOperationException("It is not asked."), TimeProvider.System, NullLogger<DatabaseClock>.Instance);

    [Test]
    public void An_answer_that_came_late_is_dropped_when_there_is_an_older_one()
    {
        clock.Take(Noon, now, now);

        Assert.That(clock.Take(Noon + Duration.FromHours(1), Before(TimeSpan.FromSeconds(16)), now), Is.False);

        Assert.That(clock.GetCurrentInstant(), Is.LessThan(Noon + Duration.FromMinutes(10)));
    }

    [Test]
    public void A_first_answer_that_came_late_does_not_put_a_node_ahead()
    {
        clock.Take(Noon, Before(TimeSpan.FromHours(1)), now);

        Assert.That(clock.GetCurrentInstant(), Is.InRange(Noon, Noon + Duration.FromMinutes(10)));
    }

    [Test]
    public void A_first_answer_that_came_late_gives_way_to_one_in_time()
    {
        clock.Take(Noon, Before(TimeSpan.FromHours(1)), now);
        clock.Take(Noon + Duration.FromHours(1), now, now);

        Assert.That(clock.GetCurrentInstant(), Is.GreaterThanOrEqualTo(Noon + Duration.FromHours(1)));
    }

    [Test]
    public void Time_does_not_fall_when_an_answer_is_a_little_behind_the_one_before()
    {
        clock.Take(Noon, now, now);
        var given = clock.GetCurrentInstant();

        clock.Take(given - Duration.FromMilliseconds(200), Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());

        Assert.That(clock.GetCurrentInstant(), Is.GreaterThanOrEqualTo(given));
    }

    [Test]
    public void A_database_whose_own_clock_was_set_back_is_followed()
    {
        clock.Take(Noon + Duration.FromHours(1), now, now);
        clock.GetCurrentInstant();

        clock.Take(Noon, now, now);

        Assert.That(clock.GetCurrentInstant(), Is.LessThan(Noon + Duration.FromMinutes(10)));
    }

    private long Before(TimeSpan ago) => now - (long)(ago.TotalSeconds * Stopwatch.Frequency);
}
