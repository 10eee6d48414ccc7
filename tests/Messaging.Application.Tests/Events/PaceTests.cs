using Messaging.Infrastructure.Events;

namespace Messaging.Application.Tests.Events;

public sealed class PaceTests
{
    private readonly Clock clock = new();

    [Test]
    public void Events_that_come_fast_are_waited_for()
    {
        Assert.That(Fast(events: 50, milliseconds: 250), Is.True);
    }

    [Test]
    public void Events_that_come_slowly_are_not_waited_for()
    {
        Assert.That(Fast(events: 49, milliseconds: 250), Is.False);
    }

    [Test]
    public void The_first_event_after_a_silence_is_not_waited_for()
    {
        var pace = new Pace(clock);
        pace.Count(1_000);
        clock.Pass(250);
        Assert.That(pace.IsFast(), Is.True);

        pace.Count(1);
        clock.Pass(10_000);

        Assert.That(pace.IsFast(), Is.False);
    }

    private bool Fast(int events, int milliseconds)
    {
        var pace = new Pace(clock);
        pace.Count(events);
        clock.Pass(milliseconds);
        return pace.IsFast();
    }

    private sealed class Clock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => now;

        public void Pass(int milliseconds) => now += milliseconds;
    }
}
