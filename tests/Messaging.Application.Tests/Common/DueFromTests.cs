using Messaging.Infrastructure.Database;
using Messaging.Testing;

namespace Messaging.Application.Tests.Common;

public sealed class DueFromTests
{
    private static readonly DateTime At = new(2026, 12, 1, 8, 0, 0, DateTimeKind.Utc);

    private readonly ManualTime time = new();

    [Test]
    public void Looks_begin_a_little_before_the_last_one_that_left_nothing()
    {
        var due = new DueFrom(time);
        Assert.That(due.Next(), Is.EqualTo(DateTime.MinValue));

        due.LeftNothing(At);
        due.LeftNothing(At.AddSeconds(1));

        Assert.That(due.Next(), Is.EqualTo(At.AddSeconds(1) - DueFrom.Margin));
    }

    [Test]
    public void A_look_that_had_no_room_for_all_is_gone_on_with_about_where_it_ended_for_a_second()
    {
        var due = new DueFrom(time);

        due.Ended(At);
        Assert.That(due.Next(), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(DueFrom.WholeOfMany);
        Assert.That(due.Next(), Is.EqualTo(DateTime.MinValue));
    }

    // As with a snapshot that has been open for an hour.
    [Test]
    public void Looks_from_the_beginning_that_take_long_are_made_more_rarely()
    {
        var due = new DueFrom(time);
        due.Next();
        time.Advance(TimeSpan.FromSeconds(3));
        due.Ended(At);

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.That(due.Next(), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(due.Next(), Is.EqualTo(DateTime.MinValue));
        due.Ended(At);
        time.Advance(DueFrom.WholeOfMany);
        Assert.That(due.Next(), Is.EqualTo(DateTime.MinValue));
    }

    [Test]
    public void Now_and_then_a_look_begins_from_the_beginning_and_so_do_the_next_ones_until_one_leaves_nothing()
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);

        Assert.That((due.Next(), due.Next()), Is.EqualTo((DateTime.MinValue, DateTime.MinValue)));

        due.LeftNothing(At);
        Assert.That(due.Next(), Is.EqualTo(At - DueFrom.Margin));
    }
}
