using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Tests.Attachments;

public sealed class AttachmentTests
{
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");
    private static readonly Attachment Stored = new(Ada, Seq: null, IsStored: true, IsReleased: false, ScanState.Clean);

    [TestCase(ScanState.Pending, true, false)]
    [TestCase(ScanState.Clean, true, true)]
    [TestCase(ScanState.Skipped, true, true)]
    [TestCase(ScanState.Infected, false, false)]
    public void A_file_that_the_scanner_has_not_answered_for_is_named_and_not_given(ScanState scan, bool named, bool given)
    {
        var file = Stored with { Scan = scan };

        Assert.That((file.MayBeNamedBy(Ada), file.IsServed), Is.EqualTo((named, given)));
    }

    [Test]
    public void A_file_is_named_once_by_its_uploader_alone_when_all_of_it_is_there()
    {
        Assert.That(Stored.MayBeNamedBy(Bob), Is.False);
        Assert.That((Stored with { Seq = 5 }).MayBeNamedBy(Ada), Is.False);
        Assert.That((Stored with { IsStored = false }).MayBeNamedBy(Ada), Is.False);
    }

    [TestCase(4, false, true)]
    [TestCase(5, false, false)]
    [TestCase(4, true, false)]
    public void Once_named_a_file_is_seen_by_whom_its_message_is(long clearedSeq, bool isHidden, bool expected)
    {
        var (named, sight) = (Stored with { Seq = 5 }, new Visibility(clearedSeq));

        Assert.That((named.IsSeenBy(Ada, sight, isHidden), named.IsSeenBy(Bob, sight, isHidden)), Is.EqualTo((expected, expected)));
    }

    [Test]
    public void Until_then_its_uploader_alone_sees_it_and_nobody_does_once_its_message_is_deleted()
    {
        Assert.That((Stored.IsSeenBy(Ada, new Visibility(9), isHidden: false), Stored.IsSeenBy(Bob, default, isHidden: false)),
            Is.EqualTo((true, false)));
        Assert.That((Stored with { Seq = 5, IsReleased = true }).IsSeenBy(Ada, default, isHidden: false), Is.False);
    }

    [Test]
    public void A_file_that_no_message_names_goes_after_a_day()
    {
        var now = Instant.FromUtc(2026, 11, 29, 10, 0);

        Assert.That(Attachment.ExpiredBefore(now), Is.EqualTo(Instant.FromUtc(2026, 11, 28, 10, 0)));
    }
}
