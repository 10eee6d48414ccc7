using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;
using static Messaging.Domain.Tests.Conversations.ConversationTests;

namespace Messaging.Domain.Tests.Conversations;

/// <summary>Who comes, goes and follows in a group that Ada owns.</summary>
public sealed class GroupTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 11, 20, 10, 0);

    private static readonly UserId Ada = new("ada");

    [Test]
    public void An_owner_who_goes_is_followed_by_the_first_admin()
    {
        var (group, owner) = (Restored(count: 4), Owner());
        Participant[] others =
            [Of("bob", joined: 1), Of("cyd", ParticipantRole.Admin, joined: 3), Of("dan", ParticipantRole.Admin, joined: 2), owner];

        var successor = group.Remove(owner, owner, others, Now);

        Assert.That(
            (successor!.UserId.Value, successor.Role, group.OwnerId),
            Is.EqualTo(("dan", ParticipantRole.Owner, (UserId?)successor.UserId)));
    }

    [Test]
    public void Without_an_admin_the_longest_member_follows_and_of_two_as_long_the_first_by_id()
    {
        var (group, owner) = (Restored(count: 4), Owner());

        var successor = group.Remove(owner, owner, [Of("dan", joined: 1), Of("cyd", joined: 1), Of("bob", joined: 2)], Now);

        Assert.That((successor!.UserId.Value, group.ParticipantCount, group.Version), Is.EqualTo(("cyd", 3, 4L)));
    }

    [Test]
    public void Nobody_follows_who_is_not_the_owner()
    {
        var (group, bob) = (Restored(count: 3), Of("bob"));

        Assert.That(group.Remove(bob, bob, [Owner(), Of("cyd")], Now), Is.Null);
        Assert.That((group.OwnerId, group.ParticipantCount), Is.EqualTo(((UserId?)Ada, 2)));
    }

    [Test]
    public void Of_two_who_own_a_group_one_after_the_other_and_go_both_are_followed()
    {
        var (group, owner, bob) = (Restored(count: 3), Owner(), Of("bob", joined: 1));

        group.Remove(owner, owner, [owner, bob, Of("cyd", joined: 2)], Now);
        var successor = group.Remove(bob, bob, [bob, Of("cyd", joined: 2)], Now);

        Assert.That((successor!.UserId.Value, group.OwnerId, group.ParticipantCount), Is.EqualTo(("cyd", (UserId?)successor.UserId, 1)));
    }

    [Test]
    public void The_last_one_out_leaves_no_owner_and_ends_the_group_once()
    {
        var (group, owner) = (Restored(count: 1), Owner());

        var successor = group.Remove(owner, owner, [owner], Now);

        Assert.That((successor, group.OwnerId), Is.EqualTo(((Participant?)null, (UserId?)null)));
        Assert.That((group.EndIfEmpty(Now), group.EndIfEmpty(Now)), Is.EqualTo((true, false)));
        Assert.That((group.IsClosed, group.Closing), Is.EqualTo((true, new Closure(Now, By: null, CloseReason.Empty, Note: null))));
    }

    [TestCase(1, false)]
    [TestCase(0, true)]
    public void A_group_that_somebody_is_in_or_that_has_ended_does_not_end(int count, bool closed)
    {
        var group = Restored(count: count, closed: closed);

        Assert.That(group.EndIfEmpty(Now), Is.False);
        Assert.That((group.Closing, group.Version), Is.EqualTo(((Closure?)null, 3L)));
    }

    [TestCase(ParticipantRole.Admin, ParticipantRole.Owner)]
    [TestCase(ParticipantRole.Member, ParticipantRole.Admin)]
    [TestCase(ParticipantRole.Member, ParticipantRole.Member)]
    public void Nobody_puts_out_or_bans_who_is_above_oneself(ParticipantRole by, ParticipantRole target)
    {
        var group = Restored();

        Assert.That(() => group.Remove(Of("bob", by), Of("cyd", target), [], Now), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => group.EnsureMayBan(Of("bob", by), new("cyd"), Of("cyd", target)), Refused(ProblemCodes.NotAllowed));
        Assert.That((group.ParticipantCount, group.Version), Is.EqualTo((2, 3L)));
    }

    [Test]
    public void Admins_and_the_service_put_out_and_ban_members()
    {
        var (byAdmin, byService) = (Restored(), Restored());
        byAdmin.Remove(Of("bob", ParticipantRole.Admin), Of("cyd"), [], Now);
        byService.Remove(by: null, Of("cyd"), [], Now);

        Assert.That((byAdmin.ParticipantCount, byService.ParticipantCount), Is.EqualTo((1, 1)));
        Assert.That(() => Restored().EnsureMayBan(Of("bob", ParticipantRole.Admin), new("cyd"), Of("cyd")), Throws.Nothing);
        Assert.That(() => Restored().EnsureMayBan(by: null, new("cyd"), target: null), Throws.Nothing);
    }

    [Test]
    public void Nobody_bans_oneself_and_members_neither_ban_nor_unban()
    {
        Assert.That(() => Restored().EnsureMayBan(Owner(), Ada, Owner()), Refused(ProblemCodes.InvalidRequest));
        Assert.That(() => Restored().EnsureMayBan(Of("bob"), new("stranger"), target: null), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => Restored().EnsureMayUnban(Of("bob")), Refused(ProblemCodes.NotAllowed));
    }

    [Test]
    public void Of_two_in_a_direct_conversation_nobody_goes_is_banned_or_has_a_role()
    {
        var direct = Restored(ConversationType.Direct);

        Assert.That(() => direct.Remove(Of("bob"), Of("bob"), [], Now), Refused(ProblemCodes.DirectIsFixed));
        Assert.That(() => direct.EnsureMayBan(by: null, new("bob"), Of("bob")), Refused(ProblemCodes.DirectIsFixed));
        Assert.That(() => direct.EnsureMayUnban(by: null), Refused(ProblemCodes.DirectIsFixed));
        Assert.That(() => direct.ChangeRole(by: null, Of("bob"), ParticipantRole.Admin, owner: null), Refused(ProblemCodes.DirectIsFixed));
    }

    [Test]
    public void Who_hands_a_group_over_stays_an_admin()
    {
        var (group, owner, bob) = (Restored(), Owner(), Of("bob"));

        Assert.That(group.ChangeRole(owner, bob, ParticipantRole.Owner, owner), Is.True);

        Assert.That((bob.Role, owner.Role, group.OwnerId), Is.EqualTo((ParticipantRole.Owner, ParticipantRole.Admin, (UserId?)bob.UserId)));
    }

    [Test]
    public void Only_the_owner_and_the_service_hand_a_group_over()
    {
        var group = Restored();

        Assert.That(
            () => group.ChangeRole(Of("cyd", ParticipantRole.Admin), Of("bob"), ParticipantRole.Owner, Owner()),
            Refused(ProblemCodes.NotAllowed));
        Assert.That(group.ChangeRole(by: null, Of("bob"), ParticipantRole.Owner, Owner()), Is.True);
    }

    [Test]
    public void Who_has_a_role_already_changes_nothing_by_taking_it()
    {
        var group = Restored();

        Assert.That(group.ChangeRole(Of("bob"), Of("cyd"), ParticipantRole.Member, Owner()), Is.False);
        Assert.That(group.Version, Is.EqualTo(3));
    }

    [TestCase("ada", ParticipantRole.Owner, ProblemCodes.LastOwner)]
    [TestCase("bob", ParticipantRole.Admin, ProblemCodes.NotAllowed)]
    [TestCase("bob", ParticipantRole.Member, ProblemCodes.NotAllowed)]
    public void An_owner_steps_down_only_by_handing_over(string by, ParticipantRole role, string code)
    {
        var owner = Owner();

        Assert.That(() => Restored().ChangeRole(Of(by, role), owner, ParticipantRole.Member, owner), Refused(code));
        Assert.That(owner.Role, Is.EqualTo(ParticipantRole.Owner));
    }

    [Test]
    public void In_an_archived_group_roles_stay_and_who_goes_may_go()
    {
        var (group, bob) = (Restored(archived: true), Of("bob"));

        Assert.That(
            () => group.ChangeRole(Owner(), bob, ParticipantRole.Admin, Owner()), Refused(ProblemCodes.ConversationArchived));
        group.Remove(bob, bob, [], Now);
        Assert.That((group.ParticipantCount, bob.Role), Is.EqualTo((1, ParticipantRole.Member)));
    }

    [Test]
    public void Who_comes_in_has_nothing_unread_and_sees_what_the_group_lets_newcomers_see()
    {
        var (open, sinceJoin) = (Restored(), Restored(policy: Defaults with { History = HistoryAccess.SinceJoin }));

        Assert.That(open.NewParticipant(new("bob"), ParticipantRole.Member, Now).JoinedSeq, Is.EqualTo(open.LastSeq));
        Assert.That((open.HidesUpTo, sinceJoin.HidesUpTo), Is.EqualTo((0, sinceJoin.LastSeq)));
    }

    [Test]
    public void All_who_are_unknown_are_named_before_anything_else()
    {
        Newcomer[] named =
            [Named("banned") with { IsBanned = true }, Named("one") with { IsKnown = false }, Named("two") with { IsKnown = false }];

        var refused = Assert.Throws<RuleException>(() => Newcomer.EnsureWelcome(named, Actor.Service, Now, user => $"{user}"));

        Assert.That(refused!.Problems.Select(problem => problem.Member), Is.EqualTo(new[] { "one", "two" }));
    }

    [Test]
    public void Who_is_banned_is_let_in_by_nobody_and_who_left_lately_by_the_service_alone()
    {
        var (banned, gone) = (Named("bob") with { IsBanned = true }, Named("bob") with { Lockout = Lockout.Since(Now) });

        Assert.That(() => Welcome(banned, Actor.Service), Refused(ProblemCodes.Banned));
        Assert.That(() => Welcome(gone, new Actor(Ada)), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => Welcome(gone, Actor.Service), Throws.Nothing);
        Assert.That(() => Welcome(gone with { TakesPart = true }, new Actor(Ada)), Throws.Nothing);
    }

    [Test]
    public void The_first_who_come_into_a_group_that_nobody_is_in_is_owned_by_the_first_of_them_in_line()
    {
        var group = Ownerless(count: 0);
        var coming = new[] { Of("cyd"), Of("bob") };

        Assert.That(group.Add(by: null, ParticipantRole.Member, coming, limit: 10)!.UserId.Value, Is.EqualTo("bob"));

        Assert.That(
            (group.OwnerId, coming[0].Role, coming[1].Role),
            Is.EqualTo(((UserId?)new UserId("bob"), ParticipantRole.Member, ParticipantRole.Owner)));
    }

    [Test]
    public void Nobody_comes_to_own_a_group_that_somebody_is_in()
    {
        var ownerless = Ownerless(count: 2);

        Assert.That(
            (Restored().Add(null, ParticipantRole.Member, [Of("bob")], 10), ownerless.Add(null, ParticipantRole.Member, [Of("bob")], 10)),
            Is.EqualTo(((Participant?)null, (Participant?)null)));
        Assert.That((ownerless.OwnerId, ownerless.ParticipantCount), Is.EqualTo(((UserId?)null, 3)));
    }

    [Test]
    public void Who_leaves_is_left_alone_for_a_day_and_who_is_put_out_is_not()
    {
        var (left, putOut) = (Of("bob", ParticipantRole.Admin), Of("cyd"));

        Restored().Remove(left, left, [], Now);
        Restored().Remove(Owner(), putOut, [], Now);

        Assert.That(
            (left.LeftAt, left.Role, left.Lockout),
            Is.EqualTo(((Instant?)Now, ParticipantRole.Member, (Lockout?)new Lockout(Now + Duration.FromHours(24)))));
        Assert.That((putOut.LeftAt, putOut.Lockout), Is.EqualTo(((Instant?)Now, (Lockout?)null)));
    }

    [TestCase(1, ProblemCodes.NotAllowed)]
    [TestCase(0, "")]
    public void Who_has_left_is_brought_back_once_the_day_is_over(int ticksLeft, string code)
    {
        var gone = Named("bob") with { Lockout = Lockout.Since(Now - Duration.FromHours(24) + Duration.FromTicks(ticksLeft)) };

        Assert.That(() => Welcome(gone, new Actor(Ada)), code.Length == 0 ? Throws.Nothing : Refused(code));
    }

    [TestCase(HistoryAccess.Full, 1, 1)]
    [TestCase(HistoryAccess.SinceJoin, 1, 5)]
    [TestCase(HistoryAccess.SinceJoin, 9, 9)]
    public void Who_comes_back_does_not_see_again_what_was_cleared(HistoryAccess history, long cleared, long expected)
    {
        var group = Restored(policy: Defaults with { History = history });

        Assert.That((Named("bob") with { ClearedSeq = cleared }).ClearedIn(group), Is.EqualTo(expected));
    }

    [Test]
    public void A_conversation_closed_and_opened_again_knows_how_it_stands()
    {
        var (group, closing) = (Restored(), new Closure(Now, Ada, CloseReason.Completed, "done"));

        group.Close(Owner(), closing);
        Assert.That((group.IsClosed, group.Closing, group.Version), Is.EqualTo((true, closing, 4L)));
        Assert.That(group.Reopen(Owner()), Is.True);

        Assert.That((group.IsClosed, group.Closing, group.Version), Is.EqualTo((false, (Closure?)null, 5L)));
    }

    private static void Welcome(Newcomer one, Actor by) => Newcomer.EnsureWelcome([one], by, Now, _ => "userIds/0");

    private static Newcomer Named(string user) =>
        new(new(user), IsKnown: true, TakesPart: false, IsBanned: false, Lockout: null, WasInBefore: false, ClearedSeq: 0);

    private static Conversation Ownerless(int count) => new Conversation(ConversationId.New(Now), new ConversationState(
        ConversationType.Group, OwnerId: null, count, LastSeq: 5, Version: 3, Closed: false, Archived: false, Blocked: false, Request: null,
        Defaults, EventNo: 9, LastEventAt: Now, LastActivityDay: null));

    private static Participant Owner() => Of("ada", ParticipantRole.Owner);

    private static Participant Of(string user, ParticipantRole role = ParticipantRole.Member, int joined = 0) =>
        new(ConversationId.New(Now), new(user), role, Now + Duration.FromHours(joined), joinedSeq: 0);
}
