using Messaging.Application.Notifications;
using Messaging.Application.Participants;
using NodaTime;

namespace Messaging.Application.Tests.Notifications;

public sealed class RecipientTests
{
    private static readonly Instant Noon = Instant.FromUtc(2026, 11, 30, 12, 0);
    private static readonly Recipient Anna = new() { ConversationId = Guid.NewGuid(), UserId = "anna", StartSeq = 3, LastReadSeq = 5 };

    [TestCase(NotificationLevel.All, Concern.Message, Concern.Mention)]
    [TestCase(NotificationLevel.Mentions, Concern.None, Concern.Mention)]
    [TestCase(NotificationLevel.None, Concern.None, Concern.None)]
    public void The_level_says_what_concerns_one(NotificationLevel level, Concern message, Concern mention)
    {
        var anna = Anna with { Level = level };

        Assert.That(
            (anna.HowConcerned(Said(6), isLooking: false), anna.HowConcerned(Said(6, "anna"), isLooking: false)),
            Is.EqualTo((message, mention)));
    }

    [TestCase(false, true, 6)]
    [TestCase(true, false, 6)]
    [TestCase(false, false, 5)]
    public void Muted_looked_at_or_read_a_message_concerns_one_where_one_is_mentioned(bool isMuted, bool isLooking, long seq)
    {
        var anna = Anna with { IsMuted = isMuted };

        Assert.That(anna.HowConcerned(Said(seq), isLooking), Is.EqualTo(Concern.None));
        Assert.That(anna.HowConcerned(Said(seq, "@all"), isLooking), Is.EqualTo(Concern.Mention));
    }

    [Test]
    public void A_message_of_ones_own_or_hidden_concerns_one_not_even_as_a_mention()
    {
        var anna = Anna with { HiddenSeqs = [7] };

        Assert.That(anna.HowConcerned(Said(6, "@all") with { SenderId = "anna" }, isLooking: false), Is.EqualTo(Concern.None));
        Assert.That(anna.HowConcerned(Said(3, "anna"), isLooking: false), Is.EqualTo(Concern.None));
        Assert.That(anna.HowConcerned(Said(7, "anna"), isLooking: false), Is.EqualTo(Concern.None));
    }

    [Test]
    public void An_edit_concerns_whom_it_mentions()
    {
        Assert.That(Anna.HowConcerned(Said(6) with { IsEdited = true }, isLooking: false), Is.EqualTo(Concern.None));
        Assert.That(Anna.HowConcerned(Said(6, "anna") with { IsEdited = true }, isLooking: false), Is.EqualTo(Concern.Mention));
    }

    [TestCase("{[4,4]}", 4)]
    [TestCase("{[4,6]}", 4, 5, 6)]
    [TestCase("{[4,5],[7,7],[9,10]}", 4, 5, 7, 9, 10)]
    public void An_entry_names_its_messages_in_ranges(string seqs, params int[] messages) =>
        Assert.That(new NotificationEntry(Anna, 0, [.. messages.Select(seq => Said(seq))]).Seqs(), Is.EqualTo(seqs));

    [TestCase(true, true, "web", "web")]
    [TestCase(false, true, "web", "")]
    [TestCase(false, true, "android", "mobile")]
    [TestCase(true, false, "ios", "")]
    [TestCase(true, true, null, "")]
    public void The_switches_say_which_devices_are_pushed_to(bool desktop, bool mobile, string? platform, string pushed)
    {
        var entry = Entry(Anna with { Desktop = desktop, Mobile = mobile });
        var plan = entry.PlanOf(new PushTarget(platform is null ? [] : [platform], null), isLooking: false, withoutDevice: false, Noon);

        Assert.That(plan is null ? "" : plan.ToWeb ? "web" : "mobile", Is.EqualTo(pushed));
    }

    [Test]
    public void Nothing_is_pushed_of_what_is_read_muted_or_looked_at()
    {
        var target = new PushTarget(["ios"], null);

        Assert.That(Entry(Anna).PlanOf(target, isLooking: false, withoutDevice: false, Noon)!.At, Is.EqualTo(Noon));
        Assert.That(Entry(Anna).PlanOf(target, isLooking: true, withoutDevice: false, Noon), Is.Null);
        Assert.That(Entry(Anna with { IsMuted = true }).PlanOf(target, isLooking: false, withoutDevice: false, Noon), Is.Null);
        Assert.That(Entry(Anna with { LastReadSeq = 6 }).PlanOf(target, isLooking: false, withoutDevice: false, Noon), Is.Null);
    }

    [Test]
    public void A_provider_that_knows_the_devices_itself_needs_none_here()
    {
        Assert.That(Entry(Anna).PlanOf(PushTarget.None, isLooking: false, withoutDevice: true, Noon), Is.Not.Null);
        Assert.That(
            Entry(Anna with { Desktop = false, Mobile = false }).PlanOf(PushTarget.None, isLooking: false, withoutDevice: true, Noon),
            Is.Null);
    }

    [Test]
    public void In_quiet_hours_the_push_waits_for_their_end()
    {
        var target = new PushTarget(["ios"], new QuietHoursView("11:00", "14:00", "Etc/UTC"));

        Assert.That(
            Entry(Anna).PlanOf(target, isLooking: false, withoutDevice: false, Noon)!.At, Is.EqualTo(Noon + Duration.FromHours(2)));
    }

    private static NotificationEntry Entry(Recipient to) => new(to, MentionSeq: 6, [Said(6, "anna")]);

    private static NotifyingMessage Said(long seq, params string[] mentioned) =>
        new(Anna.ConversationId, seq, Noon, Guid.NewGuid(), "ben") { Mentioned = mentioned };
}
