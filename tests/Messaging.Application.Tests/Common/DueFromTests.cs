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
        Assert.That(due.Next(At), Is.EqualTo(DateTime.MinValue));

        due.LeftNothing(At);
        due.LeftNothing(At.AddSeconds(1));

        Assert.That(due.Next(At), Is.EqualTo(At.AddSeconds(1) - DueFrom.Margin));
    }

    [Test]
    public void A_look_that_had_no_room_for_all_is_gone_on_with_about_where_it_ended_for_a_second()
    {
        var due = new DueFrom(time);
        due.Next(At);
        due.Looked();

        due.Ended(At);
        Assert.That(due.Next(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(DueFrom.WholeOfMany);
        Assert.That(due.Next(At), Is.EqualTo(DateTime.MinValue));
    }

    // As with a snapshot that has been open for an hour.
    [TestCase(0.5, 10)]
    [TestCase(2, 40)]
    [TestCase(30, 60)]
    public void Looks_from_the_beginning_that_take_long_are_made_more_rarely(double took, double rest)
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);
        due.Next(At);
        time.Advance(TimeSpan.FromSeconds(took));
        due.Looked();
        due.Ended(At);

        time.Advance(TimeSpan.FromSeconds(rest - 0.01));
        Assert.That(due.Next(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.That(due.Next(At), Is.EqualTo(DateTime.MinValue));
    }

    // There was no room for it, say.
    [Test]
    public void A_look_from_the_beginning_of_which_nothing_is_noted_is_made_again_when_the_next_ones_may_be()
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);
        due.Next(At);
        time.Advance(TimeSpan.FromSeconds(1));
        due.Looked();

        Assert.That(due.Next(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(due.Next(At), Is.EqualTo(DateTime.MinValue));
    }

    // Until then they begin a little before now.
    [Test]
    public void Of_many_of_which_nobody_knows_how_long_they_take_twice_as_many_begin_at_the_beginning_each_time()
    {
        var whole = new WholeLooks(time);
        var many = Enumerable.Range(0, 100).Select(_ => new DueFrom(whole, time)).ToList();

        Assert.That((Look(), Look(), Look(), Look()), Is.EqualTo((16, 32, 52, 0)));

        int Look()
        {
            var from = many.ConvertAll(due => due.Next(At));
            whole.End();
            many.ForEach(due => due.LeftNothing(At));
            Assert.That(from, Is.All.EqualTo(DateTime.MinValue).Or.EqualTo(At - DueFrom.Margin));
            return from.Count(DateTime.MinValue.Equals);
        }
    }

    [Test]
    public void Of_many_that_a_loop_looks_for_as_many_are_looked_for_from_the_beginning_at_once_as_take_little_time()
    {
        var whole = new WholeLooks(time);
        var many = Enumerable.Range(0, 10).Select(_ => new DueFrom(whole, time)).ToList();
        many.ForEach(due => due.LeftNothing(At));
        time.Advance(DueFrom.Whole);

        Assert.That(Look(), Is.EqualTo(10));
        time.Advance(TimeSpan.FromSeconds(19));
        Assert.That(Look(), Is.Zero);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(Look(), Is.EqualTo(2));

        // Each takes 100 ms.
        int Look()
        {
            var count = many.Count(due => due.Next(At) == DateTime.MinValue);
            time.Advance(count * TimeSpan.FromMilliseconds(100));
            whole.End();
            many.ForEach(due => due.LeftNothing(At));
            return count;
        }
    }

    [Test]
    public void Now_and_then_a_look_begins_from_the_beginning_and_so_do_the_next_ones_until_one_leaves_nothing()
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);

        Assert.That((due.Next(At), due.Next(At)), Is.EqualTo((DateTime.MinValue, DateTime.MinValue)));

        due.LeftNothing(At);
        Assert.That(due.Next(At), Is.EqualTo(At - DueFrom.Margin));
    }
}
