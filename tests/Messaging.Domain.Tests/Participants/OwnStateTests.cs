using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Tests.Participants;

public sealed class OwnStateTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 1, 2, 0, 0);
    internal static readonly OwnState New = OwnState.Unchanged;

    [Test]
    public void Clearing_keeps_what_was_cleared_before()
    {
        Assert.That(New.Clear(7, leavesInbox: false).Clear(5, leavesInbox: false), Is.EqualTo(New with { ClearedSeq = 7 }));
    }

    [Test]
    public void Leaving_the_inbox_clears_and_clearing_alone_does_not_bring_it_back()
    {
        Assert.That(New.Clear(5, leavesInbox: true).Clear(7, leavesInbox: false), Is.EqualTo(New with { ClearedSeq = 7, HiddenSeq = 5 }));
    }

    [Test]
    public void An_archived_conversation_stays_so_until_the_next_message_or_until_brought_back()
    {
        Assert.That(New.Archive(true, 5).ArchivedSeq, Is.EqualTo(5));
        Assert.That(New.Archive(true, 5).Archive(false, 5), Is.EqualTo(New));
    }

    [TestCase(5, 0, true)]
    [TestCase(6, 0, false)]
    [TestCase(6, 1, true)]
    public void A_message_brings_back_what_is_archived_unless_it_is_muted(long newest, int mutedFor, bool expected)
    {
        var state = New.Archive(true, 5) with { MutedUntil = Now + Duration.FromTicks(mutedFor) };

        Assert.That(state.IsArchived(newest, Now), Is.EqualTo(expected));
    }

    [Test]
    public void A_muted_conversation_is_not_archived_by_that()
    {
        Assert.That((New with { MutedUntil = Instant.MaxValue }).IsArchived(newest: 0, Now), Is.False);
    }

    [TestCase(5, true)]
    [TestCase(6, false)]
    public void A_message_brings_back_what_has_left_the_inbox_also_where_it_is_muted(long newest, bool expected)
    {
        var state = New.Clear(5, leavesInbox: true) with { MutedUntil = Instant.MaxValue };

        Assert.That((state.IsHidden(newest), New.IsHidden(newest)), Is.EqualTo((expected, false)));
    }

    [Test]
    public void A_conversation_starred_again_keeps_its_place()
    {
        Assert.That(New.Star(true, Now).Star(true, Now + Duration.FromHours(1)).StarredAt, Is.EqualTo(Now));
        Assert.That(New.Star(true, Now).Star(false, Now), Is.EqualTo(New));
    }
}
