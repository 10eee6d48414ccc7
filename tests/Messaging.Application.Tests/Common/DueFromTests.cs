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
        Assert.That(due.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));

        due.LeftNothing(At);
        due.LeftNothing(At.AddSeconds(1));

        Assert.That(due.NextOrWhole(At), Is.EqualTo(At.AddSeconds(1) - DueFrom.Margin));
    }

    [Test]
    public void A_look_that_had_no_room_for_all_is_gone_on_with_about_where_it_ended_for_a_second()
    {
        var due = new DueFrom(time);
        due.NextOrWhole(At);
        due.Looked();

        due.Ended(At);
        Assert.That(due.NextOrWhole(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(DueFrom.WholeOfMany);
        Assert.That(due.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
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
        due.NextOrWhole(At);
        time.Advance(TimeSpan.FromSeconds(took));
        due.Looked();
        due.Ended(At);

        time.Advance(TimeSpan.FromSeconds(rest - 0.01));
        Assert.That(due.NextOrWhole(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.That(due.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
    }

    // There was no room for it, say.
    [Test]
    public void A_look_from_the_beginning_of_which_nothing_is_noted_is_made_again_when_the_next_ones_may_be()
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);
        due.NextOrWhole(At);
        time.Advance(TimeSpan.FromSeconds(1));
        due.Looked();

        Assert.That(due.NextOrWhole(At), Is.EqualTo(At - DueFrom.Margin));

        time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(due.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
    }

    [Test]
    public void A_look_that_may_not_begin_at_the_beginning_yet_begins_a_little_before_the_first_one()
    {
        var whole = new WholeLooks(time);
        var (first, second) = (new DueFrom(whole, time), new DueFrom(whole, time));
        Assert.That(first.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
        time.Advance(TimeSpan.FromSeconds(1));
        first.Looked();

        Assert.That(second.NextOrWhole(At), Is.EqualTo(At - DueFrom.Margin));
        Assert.That(second.NextOrWhole(At.AddSeconds(9)), Is.EqualTo(At - DueFrom.Margin));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(second.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
    }

    // Each takes 5 ms.
    [Test]
    public void Of_many_that_a_loop_looks_for_only_so_many_begin_at_the_beginning_one_after_the_other_as_take_little_time()
    {
        var whole = new WholeLooks(time);
        var many = Enumerable.Range(0, 10).Select(_ => new DueFrom(whole, time)).ToList();

        Assert.That(Look(), Is.EqualTo(4));
        time.Advance(TimeSpan.FromSeconds(0.39));
        Assert.That(Look(), Is.Zero);
        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.That(Look(), Is.EqualTo(4));

        int Look()
        {
            var count = 0;
            foreach (var due in many.Where(due => due.TryBeginWhole()))
            {
                time.Advance(TimeSpan.FromMilliseconds(5));
                due.LeftNothing(At);
                count++;
            }
            whole.End();
            return count;
        }
    }

    // The others have their turn before it is tried again.
    [Test]
    public void A_look_from_the_beginning_that_failed_keeps_its_place_and_comes_after_the_others()
    {
        var whole = new WholeLooks(time);
        var (failing, other) = (new DueFrom(whole, time), new DueFrom(whole, time));
        Assert.That(failing.NextOrWhole(At), Is.EqualTo(DateTime.MinValue));
        time.Advance(TimeSpan.FromSeconds(5));
        failing.Looked();

        Assert.That(failing.NextOrWhole(At.AddSeconds(5)), Is.EqualTo(At - DueFrom.Margin));
        Assert.That(other.SinceTried, Is.GreaterThan(failing.SinceTried));
    }

    [Test]
    public void Now_and_then_a_look_begins_from_the_beginning_and_so_do_the_next_ones_until_one_leaves_nothing()
    {
        var due = new DueFrom(time);
        due.LeftNothing(At);
        time.Advance(DueFrom.Whole);

        Assert.That((due.NextOrWhole(At), due.NextOrWhole(At)), Is.EqualTo((DateTime.MinValue, DateTime.MinValue)));

        due.LeftNothing(At);
        Assert.That(due.NextOrWhole(At), Is.EqualTo(At - DueFrom.Margin));
    }
}
