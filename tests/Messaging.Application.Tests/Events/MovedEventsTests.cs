using Messaging.Application.Events;
using Messaging.Infrastructure.Events;
using NodaTime;

namespace Messaging.Application.Tests.Events;

public sealed class MovedEventsTests
{
    private static readonly FeedCursor Start = new(1, 100);

    private readonly MovedEvents moved = new();

    [SetUp]
    public void Listen() => moved.Take(Start);

    [Test]
    public void Events_that_follow_on_the_cursor_are_handed_over_in_order()
    {
        moved.Add(Batch(100, 2));
        moved.Add(Batch(102, 1));

        Assert.That(moved.Take(Start)!.Select(row => row.Position), Is.EqualTo((long[])[101, 102]));
        Assert.That(moved.Take(Start with { Position = 102 })!.Single().Position, Is.EqualTo(103));
        Assert.That(moved.Take(Start with { Position = 103 }), Is.Null);
    }

    [Test]
    public void Events_after_a_gap_are_left_to_the_feed()
    {
        moved.Add(Batch(101, 1));
        Assert.That(moved.Take(Start), Is.Null);

        moved.Add(Batch(100, 1));
        Assert.That(moved.Take(new FeedCursor(2, 100)), Is.Null);
    }

    [Test]
    public void Of_a_reader_that_is_slow_so_much_is_kept_and_the_rest_is_in_the_feed()
    {
        for (var i = 0; i < 5; i++)
            moved.Add(Batch(100 + (i * 1_000), 1_000));

        Assert.That(moved.Take(Start), Is.Null);
        Assert.That(moved.Take(Start with { Position = 4_100 }), Is.Null);
    }

    [Test]
    public void Where_nobody_listens_nothing_is_kept()
    {
        moved.Stop();
        moved.Add(Batch(100, 1));

        Assert.That(moved.Take(Start), Is.Null);
    }

    private static MovedBatch Batch(long after, int count) => new(
        new FeedCursor(1, after),
        [.. Enumerable.Range(1, count).Select(i => new FeedRow(after + i, Instant.MinValue, null, null, "ada", "test", null))]);
}
