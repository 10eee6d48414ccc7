using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Tests.Conversations;

public sealed class ConversationTests
{
    [Test]
    public void Messages_are_taken_in_one_after_the_other_whatever_the_clock_says()
    {
        var conversation = Restored();

        var places = new[] { Now + Duration.FromSeconds(1), Now, Now }.Select(conversation.DrawPosition).ToList();

        Assert.That(places.Select(place => (place.Seq, place.EventNo)), Is.EqualTo(new[] { (6L, 10L), (7L, 11L), (8L, 12L) }));
        Assert.That(places.Select(place => place.At), Is.Ordered.And.Unique);
    }

    [Test]
    public void The_first_message_of_a_day_is_known()
    {
        var conversation = Restored();

        var places = new[] { Now, Now + Duration.FromDays(1), Now + Duration.FromDays(1) }.Select(conversation.DrawPosition).ToList();

        Assert.That(places.Select(place => place.FirstOfDay), Is.EqualTo(new[] { false, true, false }));
    }

    private static readonly Instant Now = Instant.FromUtc(2026, 11, 20, 10, 0);
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public void A_pair_has_one_key_whoever_opens_it_and_one_per_context()
    {
        var posting = new ConversationContext("posting", "7");

        Assert.That(NewConversation.DirectKey(Ada, Bob, null), Is.EqualTo(NewConversation.DirectKey(Bob, Ada, null)));
        Assert.That(NewConversation.DirectKey(Ada, Bob, posting), Is.EqualTo(NewConversation.DirectKey(Bob, Ada, posting)));
        Assert.That(NewConversation.DirectKey(Ada, Bob, posting), Is.Not.EqualTo(NewConversation.DirectKey(Ada, Bob, null)));
    }

    [Test]
    public void One_does_not_talk_to_oneself()
    {
        Assert.That(() => NewConversation.Direct(Ada, Ada, null, request: null, Now), Refused(ProblemCodes.InvalidRequest));
    }

    [TestCase(0, ProblemCodes.InvalidRequest)]
    [TestCase(3, ProblemCodes.GroupFull)]
    public void A_group_of_a_user_has_at_least_one_other_and_at_most_the_limit(int others, string code)
    {
        Assert.That(() => Group(new Actor(Ada), others, limit: 3), Refused(code));
    }

    [Test]
    public void The_service_makes_a_group_without_an_owner()
    {
        var group = Group(Actor.Service, others: 3, limit: 3);

        Assert.That((group.OwnerId, group.Founders.Count), Is.EqualTo(((UserId?)null, 3)));
    }

    [TestCase("Über uns! ", "^ber-uns-[0-9a-f]{12}$")]
    [TestCase("日本", "^[0-9a-f]{12}$")]
    [TestCase("--A--b--", "^a-b-[0-9a-f]{12}$")]
    public void A_slug_is_made_from_the_name(string name, string expected)
    {
        Assert.That(Group(new Actor(Ada), 1, 3, name).Profile!.Slug, Does.Match(expected));
    }

    [Test]
    public void A_slug_that_is_given_stays_and_one_that_is_taken_away_is_made_anew()
    {
        var (given, id) = (new Profile("Group", null, null, "mine", null, null), ConversationId.New(Now));

        Assert.That(given.WithSlug(id), Is.EqualTo(given));
        Assert.That((given with { Slug = null }).WithSlug(id).Slug, Is.EqualTo(Profile.SlugOf("Group", id)));
    }

    [Test]
    public void Who_makes_a_group_owns_it_and_all_have_it_in_their_inboxes()
    {
        var group = Group(new Actor(Ada), others: 2, limit: 3);

        Assert.That(group.Founders.Select(one => (one.UserId.Value, one.Role)), Is.EquivalentTo(new[]
        {
            ("ada", ParticipantRole.Owner), ("user0", ParticipantRole.Member), ("user1", ParticipantRole.Member),
        }));
        Assert.That(group.Founders.Select(group.FirstDayOf), Is.All.EqualTo(Now.InUtc().Date));
    }

    [Test]
    public void A_direct_conversation_is_in_its_openers_inbox_alone_until_something_is_said()
    {
        var direct = NewConversation.Direct(Ada, Bob, context: null, request: null, Now);

        Assert.That(direct.Founders.Select(one => (one.UserId, one.Role, direct.FirstDayOf(one))), Is.EqualTo(new[]
        {
            (Ada, ParticipantRole.Member, (LocalDate?)Now.InUtc().Date), (Bob, ParticipantRole.Member, null),
        }));
    }

    [Test]
    public void The_longest_name_still_makes_a_valid_slug()
    {
        Assert.That(Group(new Actor(Ada), 1, 3, new string('x', 200)).Profile!.Slug, Has.Length.LessThanOrEqualTo(100));
    }

    [Test]
    public void Only_owner_admins_and_the_service_let_people_in()
    {
        Assert.That(
            () => Restored().Add(Member(ParticipantRole.Member), ParticipantRole.Member, Coming(1), 10), Refused(ProblemCodes.NotAllowed));

        var (byAdmin, byService) = (Restored(), Restored());
        byAdmin.Add(Member(ParticipantRole.Admin), ParticipantRole.Member, Coming(1), 10);
        byService.Add(by: null, ParticipantRole.Member, Coming(1), 10);
        Assert.That((byAdmin.ParticipantCount, byService.ParticipantCount), Is.EqualTo((3, 3)));
    }

    [Test]
    public void Nobody_comes_into_a_direct_a_full_a_closed_or_an_archived_conversation()
    {
        Assert.That(
            () => Restored(ConversationType.Direct).Add(null, ParticipantRole.Member, Coming(1), 10), Refused(ProblemCodes.DirectIsFixed));
        Assert.That(() => Restored().Add(null, ParticipantRole.Member, Coming(9), 10), Refused(ProblemCodes.GroupFull));
        Assert.That(
            () => Restored(closed: true).Add(null, ParticipantRole.Member, Coming(1), 10), Refused(ProblemCodes.ConversationClosed));
        Assert.That(
            () => Restored(archived: true).Add(null, ParticipantRole.Member, Coming(1), 10), Refused(ProblemCodes.ConversationArchived));
    }

    [Test]
    public void Whom_one_has_blocked_and_who_waits_for_an_answer_writes_nothing()
    {
        Assert.That(
            () => Restored(ConversationType.Direct, blocked: true).EnsureAcceptsMessage(Member(ParticipantRole.Member), Now),
            Refused(ProblemCodes.Blocked));
        Assert.That(
            () => Restored(ConversationType.Direct, request: RequestState.Pending)
                .EnsureAcceptsMessage(Member(ParticipantRole.Member), Now),
            Refused(ProblemCodes.RequestPending));
        Assert.That(() => Restored(ConversationType.Direct, blocked: true).EnsureAcceptsMessage(sender: null, Now), Throws.Nothing);
    }

    [TestCase(true, null, ProblemCodes.Blocked)]
    [TestCase(false, RequestState.Pending, ProblemCodes.RequestPending)]
    [TestCase(false, RequestState.Unsent, ProblemCodes.RequestPending)]
    public void Between_two_who_are_parted_nobody_but_the_service_closes_or_reopens(bool blocked, RequestState? request, string code)
    {
        Conversation Parted(bool closed) => Restored(ConversationType.Direct, closed, blocked: blocked, request: request);

        Assert.That(() => Parted(closed: false).Close(Member(ParticipantRole.Member), Manual), Refused(code));
        Assert.That(() => Parted(closed: true).Reopen(Member(ParticipantRole.Member)), Refused(code));
        var open = Parted(closed: false);
        open.Close(by: null, Manual);
        Assert.That(open.IsClosed, Is.True);
        Assert.That(Parted(closed: true).Reopen(by: null), Is.True);
    }

    [Test]
    public void Where_only_admins_post_members_do_not()
    {
        var announcements = Defaults with { Posting = AllowedTo.Admins };

        Assert.That(() => Restored(policy: announcements).EnsureAcceptsMessage(Member(ParticipantRole.Member), Now),
            Refused(ProblemCodes.NotAllowed));
        Assert.That(() => Restored(policy: announcements).EnsureAcceptsMessage(Member(ParticipantRole.Admin), Now), Throws.Nothing);
    }

    [TestCase(false, false, null, true)]
    [TestCase(false, true, null, false)]
    [TestCase(true, false, null, false)]
    [TestCase(false, false, RequestState.Unsent, false)]
    [TestCase(false, false, RequestState.Pending, false)]
    public void Others_are_shown_who_writes_where_one_may_send_and_the_two_talk(
        bool blocked, bool closed, RequestState? request, bool expected)
    {
        var direct = Restored(ConversationType.Direct, closed, blocked: blocked, request: request);

        Assert.That(direct.ShowsTyping(Member(ParticipantRole.Member)), Is.EqualTo(expected));
    }

    [Test]
    public void Where_only_admins_post_others_are_shown_that_admins_write_and_all_are_told()
    {
        var announcements = Restored(policy: Defaults with { Posting = AllowedTo.Admins });

        Assert.That(
            (announcements.ShowsTyping(Member(ParticipantRole.Member)), announcements.ShowsTyping(Member(ParticipantRole.Admin))),
            Is.EqualTo((false, true)));
        Assert.That(announcements.TellsTyping, Is.True);
    }

    [Test]
    public void In_slow_mode_who_has_just_sent_is_shown_writing_the_next_message()
    {
        var slow = Restored(policy: Defaults with { SlowModeSeconds = 30 });

        Assert.That(slow.ShowsTyping(Member(ParticipantRole.Member, sent: Now)), Is.True);
    }

    [Test]
    public void Slow_mode_tells_a_member_how_long_to_wait_and_admins_do_not_wait()
    {
        var slow = Restored(policy: Defaults with { SlowModeSeconds = 30 });
        var refused = Assert.Throws<RuleException>(
            () => slow.EnsureAcceptsMessage(Member(ParticipantRole.Member, sent: Now - Duration.FromSeconds(20.5)), Now));

        Assert.That((refused!.Problem.Code, refused.Problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.RateLimited, (int?)10)));
        Assert.That(
            () => slow.EnsureAcceptsMessage(Member(ParticipantRole.Member, sent: Now - Duration.FromSeconds(30)), Now), Throws.Nothing);
        Assert.That(() => slow.EnsureAcceptsMessage(Member(ParticipantRole.Owner, sent: Now), Now), Throws.Nothing);
    }

    [TestCase(30, ExpectedResult = new string?[] { null })]
    [TestCase(31, ExpectedResult = new[] { "bob" })]
    public string?[] Among_many_the_author_alone_learns_how_far_somebody_has_come(int count) =>
        [.. Restored(count: count).HearersOf(Ada, author: Bob).Select(user => user?.Value)];

    [Test]
    public void Nobody_learns_it_of_oneself_nor_where_receipts_are_not_told_nor_from_whom_one_is_parted()
    {
        var silent = Restored(policy: Defaults with { Receipts = false });
        var blocked = Restored(ConversationType.Direct, blocked: true);
        var pending = Restored(ConversationType.Direct, request: RequestState.Pending);

        Assert.That(Restored(count: 31).HearersOf(Ada, author: Ada), Is.Empty);
        Assert.That(new[] { silent, blocked, pending }.SelectMany(conversation => conversation.HearersOf(Ada, author: Bob)), Is.Empty);
    }

    private static readonly MessagePosition Next = new(Seq: 1, EventNo: 1, Now, FirstOfDay: false);

    [Test]
    public void Sending_reads_what_was_unread_and_marking_brings_one_back()
    {
        var ada = new Participant(
            ConversationId.New(Now), Ada, new ParticipantState(ParticipantRole.Member, Now, JoinedSeq: 0) { Unread = 2 });

        var (first, second) = (ada.Sent(Next), ada.Sent(Next));
        ada.MarkedUnread();
        var third = ada.Sent(Next);
        ada.Received();

        Assert.That((first, second, third, ada.Sent(Next)), Is.EqualTo((true, false, true, true)));
    }

    [Test]
    public void An_edit_counts_in_slow_mode_as_a_message_does()
    {
        var (conversation, ada) = (Restored(policy: Defaults with { SlowModeSeconds = 10 }), Member(ParticipantRole.Member));

        ada.Edited(Now);

        Assert.That(() => conversation.EnsureAcceptsMessage(ada, Now + Duration.FromSeconds(9)), Refused(ProblemCodes.RateLimited));
        Assert.That(() => conversation.EnsureAcceptsMessage(ada, Now + Duration.FromSeconds(10)), Throws.Nothing);
    }

    private static readonly Closure Manual = new(Now, By: null, CloseReason.Manual, Note: null);

    internal static readonly ConversationPolicy Defaults = new(
        AllowedTo.Everyone, AllowedTo.Admins, AllowedTo.Admins, HistoryAccess.Full, SlowModeSeconds: 0, EditWindowSeconds: null,
        DeleteWindowSeconds: null, EditHistoryAccess.Everyone, new ReactionPolicy(ReactionMode.Many, Allowed: null), Receipts: true,
        AllowedTo.Everyone, RetentionDays: null);

    internal static Conversation Restored(
        ConversationType type = ConversationType.Group, bool closed = false, bool archived = false, bool blocked = false,
        RequestState? request = null, ConversationPolicy? policy = null, int count = 2, long lastSeq = 5) => new Conversation(
            ConversationId.New(Now),
            new ConversationState(
                type, Ada, count, lastSeq, Version: 3, closed, archived, blocked, request, policy ?? Defaults, EventNo: 9, LastEventAt: Now,
                Now.InUtc().Date));

    internal static NUnit.Framework.Constraints.IResolveConstraint Refused(string code) =>
        Throws.InstanceOf<RuleException>().With.Property(nameof(RuleException.Problem)).Property(nameof(Problem.Code)).EqualTo(code);

    private static NewConversation Group(Actor creator, int others, int limit, string name = "Group") => NewConversation.Group(
        creator, [.. Enumerable.Range(0, others).Select(i => new UserId($"user{i}"))], new Profile(name, null, null, null, null, null),
        context: null, limit, Now);

    private static List<Participant> Coming(int count) => [.. Enumerable.Repeat(Member(ParticipantRole.Member), count)];

    private static Participant Member(ParticipantRole role, Instant? sent = null) =>
        new(ConversationId.New(Now), Ada, new ParticipantState(role, Now, JoinedSeq: 0) { LastSentAt = sent });
}
