using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Participants;
using NodaTime;
using NUnit.Framework.Constraints;

namespace Messaging.Domain.Tests.Contacts;

public sealed class RelationshipTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 11, 29, 10, 0);
    private static readonly Instant Before = Now - Duration.FromDays(2);
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");
    private static readonly Guid First = Guid.CreateVersion7();

    [Test]
    public void Nobody_is_two()
    {
        Assert.That(() => Relationship.EnsureOfTwo(Ada, Ada), Refused(ProblemCodes.InvalidRequest));
        Assert.That(() => Relationship.EnsureOfTwo(Ada, Bob), Throws.Nothing);
    }

    [Test]
    public void Asking_stands_with_both_and_both_hear_of_it()
    {
        var pair = Of();

        Assert.That(pair.Ask(), Is.True);
        Assert.That((pair.Mine.Contact, pair.Theirs.Contact), Is.EqualTo((Asked(Ada), Asked(Ada))));
        Assert.That(Heard(pair), Is.EqualTo("ada contact:requested, bob contact:requested"));
    }

    [Test]
    public void Asking_again_changes_nothing()
    {
        var pair = Of(mine: Asked(Ada, Before), theirs: Asked(Ada, Before));

        Assert.That((pair.Ask(), pair.Changed.Count(), Heard(pair)), Is.EqualTo((false, 0, "")));
    }

    [Test]
    public void Asking_who_has_asked_accepts()
    {
        var pair = Of(mine: Asked(Bob, Before), theirs: Asked(Bob, Before));

        Assert.That((pair.Ask(), pair.Opens), Is.EqualTo((false, true)));
        Assert.That(pair.Mine.Contact, Is.EqualTo(new Contact(ContactStatus.Accepted, Bob, Before, Now)));
        Assert.That(Heard(pair), Is.EqualTo("ada contact:accepted, bob contact:accepted"));
    }

    [Test]
    public void Asking_whom_one_has_declined_accepts()
    {
        var pair = Of(theirs: Asked(Bob, Before), iDeclinedAt: Before);

        pair.Ask();

        Assert.That((pair.Mine.Contact?.Status, pair.Mine.DeclinedAt), Is.EqualTo((ContactStatus.Accepted, (Instant?)null)));
    }

    [TestCase(true, false)]
    [TestCase(false, true)]
    public void Across_a_block_nobody_is_asked_or_accepted(bool mine, bool theirs)
    {
        Assert.That(() => Of(iBlock: mine, theyBlock: theirs).Ask(), Refused(ProblemCodes.Blocked));
        Assert.That(
            () => Of(mine: Asked(Bob), theirs: Asked(Bob), iBlock: mine, theyBlock: theirs).Answer(accepts: true),
            Refused(ProblemCodes.Blocked));
        Assert.That(
            () => Of(first: Waiting(Bob), iBlock: mine, theyBlock: theirs).AnswerFirst(First, Bob, accepts: true),
            Refused(ProblemCodes.Blocked));
    }

    [Test]
    public void Across_a_block_a_question_is_declined_all_the_same()
    {
        var pair = Of(mine: Asked(Bob), theirs: Asked(Bob), theyBlock: true);

        pair.Answer(accepts: false);

        Assert.That(pair.Mine.Contact, Is.Null);
    }

    [Test]
    public void A_no_looks_like_no_answer_to_who_asked()
    {
        var pair = Of(mine: Asked(Bob), theirs: Asked(Bob));

        pair.Answer(accepts: false);

        Assert.That((pair.Mine, pair.Theirs.Contact), Is.EqualTo((new Side(Ada, DeclinedAt: Now), Asked(Bob))));
        Assert.That(Heard(pair), Is.EqualTo("ada contact:removed"));
    }

    [Test]
    public void Who_was_declined_and_asks_again_is_not_heard_while_that_holds()
    {
        var again = Of(mine: Asked(Ada, Before), theyDeclinedAt: Before);
        var anew = Of(theyDeclinedAt: Before);

        Assert.That((again.Ask(), Heard(again)), Is.EqualTo((false, "")));
        Assert.That((anew.Ask(), anew.Theirs.Contact, Heard(anew)), Is.EqualTo((true, (Contact?)null, "ada contact:requested")));
    }

    [Test]
    public void A_no_holds_for_a_while()
    {
        var pair = Of(mine: Asked(Ada, Before), theyDeclinedAt: Now - Duration.FromDays(30));

        Assert.That((pair.Ask(), Heard(pair)), Is.EqualTo((true, "ada contact:requested, bob contact:requested")));
        Assert.That(pair.Mine.Contact, Is.EqualTo(Asked(Ada)));
    }

    [Test]
    public void A_question_taken_back_is_heard_once_a_day()
    {
        var anew = Of(theyHeardOfOneTakenBackAt: Now - Duration.FromHours(23));
        var later = Of(theyHeardOfOneTakenBackAt: Now - Duration.FromHours(24));
        var back = Of(mine: Asked(Ada), theirs: Asked(Ada), theyHeardOfOneTakenBackAt: Now - Duration.FromHours(23));

        anew.Ask();
        later.Ask();
        back.Remove();

        Assert.That(anew.Theirs.Contact, Is.EqualTo(Asked(Ada)));
        Assert.That(Heard(anew), Is.EqualTo("ada contact:requested"));
        Assert.That(Heard(later), Is.EqualTo("ada contact:requested, bob contact:requested"));
        Assert.That(Heard(back), Is.EqualTo("ada contact:removed"));
    }

    [Test]
    public void Ending_a_contact_ends_it_for_both()
    {
        var pair = Of(mine: Friends, theirs: Friends);

        pair.Remove();

        Assert.That((pair.Mine, pair.Theirs), Is.EqualTo((new Side(Ada), new Side(Bob))));
        Assert.That(Heard(pair), Is.EqualTo("ada contact:removed, bob contact:removed"));
        Assert.That(pair.News.Select(news => news.Was), Is.All.EqualTo(Friends));
    }

    [Test]
    public void Taking_a_question_back_is_remembered()
    {
        var pair = Of(mine: Asked(Ada), theirs: Asked(Ada));

        pair.Remove();

        Assert.That((pair.Theirs.TakenBackAt, Heard(pair)), Is.EqualTo(((Instant?)Now, "ada contact:removed, bob contact:removed")));
    }

    [Test]
    public void One_that_was_declined_is_taken_back_unheard()
    {
        var pair = Of(mine: Asked(Ada), theyDeclinedAt: Before);

        pair.Remove();

        Assert.That((pair.Theirs, Heard(pair)), Is.EqualTo((new Side(Bob, DeclinedAt: Before), "ada contact:removed")));
    }

    [Test]
    public void A_relationship_that_does_not_exist_can_be_neither_answered_nor_removed()
    {
        Assert.That(() => Of().Answer(accepts: true), Refused(ProblemCodes.NotFound));
        Assert.That(() => Of(theirs: Asked(Bob)).Remove(), Refused(ProblemCodes.NotFound));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void The_answer_is_the_other_ones_to_give(bool accepts)
    {
        Assert.That(() => Of(mine: Asked(Ada), theirs: Asked(Ada)).Answer(accepts), Refused(ProblemCodes.NotAllowed));
        Assert.That(() => Of(first: Waiting(Ada)).AnswerFirst(First, Ada, accepts), Refused(ProblemCodes.NotAllowed));
    }

    [Test]
    public void An_accepted_request_can_no_longer_be_declined()
    {
        var friends = Of(mine: Friends, theirs: Friends);

        friends.Answer(accepts: true);
        friends.AnswerFirst(First, Bob, accepts: true);

        Assert.That((friends.Changed.Count(), Heard(friends)), Is.EqualTo((0, "")));
        Assert.That(() => friends.Answer(accepts: false), Refused(ProblemCodes.AlreadyExists));
        Assert.That(() => friends.AnswerFirst(First, Bob, accepts: false), Refused(ProblemCodes.AlreadyExists));
    }

    [Test]
    public void Another_first_message_that_waits_is_not_meant()
    {
        var pair = Of(first: Waiting(Bob));

        Assert.That(() => pair.AnswerFirst(Guid.CreateVersion7(), Bob, accepts: false), Refused(ProblemCodes.AlreadyExists));
        Assert.That(pair.Answered, Is.Null);
    }

    [TestCase(DirectMessages.Anyone, false)]
    [TestCase(DirectMessages.Requests, true)]
    public void A_first_message_asks_where_the_policy_says_so(DirectMessages policy, bool asks)
    {
        Assert.That(Of().Asks(policy), Is.EqualTo(asks));
        Assert.That(Of(mine: Asked(Bob), theirs: Asked(Bob)).Asks(policy), Is.EqualTo(asks));
        Assert.That(Of(mine: Friends, theirs: Friends).Asks(policy), Is.False);
    }

    [Test]
    public void Where_contacts_alone_write_to_each_other_others_do_not()
    {
        Assert.That(() => Of().Asks(DirectMessages.Contacts), Refused(ProblemCodes.NotAContact));
        Assert.That(Of(mine: Friends, theirs: Friends).Asks(DirectMessages.Contacts), Is.False);
    }

    [Test]
    public void One_first_message_at_most_waits_between_two()
    {
        Assert.That(() => Of(first: Waiting(Bob)).AskFirst(Guid.CreateVersion7()), Refused(ProblemCodes.RequestPending));
        Assert.That(() => Of(first: Waiting(Ada)).AskFirst(Guid.CreateVersion7()), Refused(ProblemCodes.RequestPending));
    }

    [Test]
    public void A_first_message_is_heard_unless_the_other_one_has_declined_lately()
    {
        var heard = Of();
        var declined = Of(theyDeclinedAt: Before);

        Assert.That((heard.AskFirst(First), Heard(heard)), Is.EqualTo((Waiting(Ada), "bob request:received")));
        Assert.That(
            (declined.AskFirst(First), Heard(declined)), Is.EqualTo((new FirstMessage(First, Ada, RequestStatus.Declined, Before), "")));
    }

    [Test]
    public void A_first_message_that_waits_is_question_enough()
    {
        var open = Of(mine: Asked(Ada), first: Waiting(Ada));

        Assert.That(() => Of(first: Waiting(Ada)).Ask(), Refused(ProblemCodes.RequestPending));
        Assert.That((open.Ask(), Heard(open)), Is.EqualTo((false, "")));
        Assert.That(Of(first: Waiting(Bob)).Ask(), Is.True);
    }

    [Test]
    public void A_yes_to_a_first_message_makes_both_contacts()
    {
        var pair = Of(first: Waiting(Bob), iDeclinedAt: Before);

        pair.AnswerFirst(First, Bob, accepts: true);

        Assert.That((pair.Mine.Contact, pair.Theirs.Contact), Is.EqualTo((Accepted(Bob), Accepted(Bob))));
        Assert.That((pair.Opens, pair.Mine.DeclinedAt), Is.EqualTo((true, (Instant?)null)));
        Assert.That(pair.Answered, Is.EqualTo(new FirstMessage(First, Bob, RequestStatus.Accepted, Now)));
        Assert.That(Heard(pair), Is.EqualTo("ada contact:accepted, bob contact:accepted, ada request:answered, bob request:answered"));
    }

    [Test]
    public void A_yes_to_a_contact_accepts_the_first_message_too()
    {
        var pair = Of(mine: Asked(Bob), theirs: Asked(Bob), first: Waiting(Ada));

        pair.Answer(accepts: true);

        Assert.That(pair.Answered?.Status, Is.EqualTo(RequestStatus.Accepted));
    }

    [Test]
    public void A_no_to_a_first_message_is_told_to_nobody_else_and_may_become_a_yes()
    {
        var pair = Of(first: Waiting(Bob));

        pair.AnswerFirst(First, Bob, accepts: false);
        pair.AnswerFirst(First, Bob, accepts: false);
        Assert.That(Heard(pair), Is.EqualTo("ada request:answered"));

        pair.AnswerFirst(First, Bob, accepts: true);
        Assert.That((pair.Answered?.Status, pair.Opens), Is.EqualTo((RequestStatus.Accepted, true)));
    }

    [Test]
    public void Each_lifts_ones_own_block()
    {
        var pair = Of(theyBlock: true);

        Assert.That((pair.Block(), pair.Block(), pair.Unblock(), pair.Unblock()), Is.EqualTo((true, false, true, false)));
        Assert.That((pair.IsBlocked, Heard(pair)), Is.EqualTo((true, "ada block:changed, ada block:changed")));
    }

    [TestCase(false, true)]
    [TestCase(true, false)]
    public void A_block_beside_the_other_ones_parts_and_joins_nobody(bool theyBlock, bool stands)
    {
        var (blocking, lifting) = (Of(theyBlock: theyBlock), Of(iBlock: true, theyBlock: theyBlock));

        blocking.Block();
        lifting.Unblock();

        Assert.That((blocking.StandsOtherwise, lifting.StandsOtherwise), Is.EqualTo((stands, stands)));
    }

    [Test]
    public void A_yes_alone_has_two_talk_who_did_not_before()
    {
        var (yes, no) = (Of(first: Waiting(Bob)), Of(first: Waiting(Bob)));

        yes.AnswerFirst(First, Bob, accepts: true);
        no.AnswerFirst(First, Bob, accepts: false);

        Assert.That((yes.StandsOtherwise, no.StandsOtherwise, Of().StandsOtherwise), Is.EqualTo((true, false, false)));
    }

    [Test]
    public void A_first_message_is_asked_once()
    {
        var (asking, answered) = (Of(), Of(first: Waiting(Bob)));

        asking.AskFirst(First);
        answered.AnswerFirst(First, Bob, accepts: true);

        Assert.That((asking.Asked, asking.Answered), Is.EqualTo((Waiting(Ada), (FirstMessage?)null)));
        Assert.That(answered.Asked, Is.Null);
    }

    [TestCase(DirectMessages.Anyone, false, false, false, "")]
    [TestCase(DirectMessages.Requests, false, false, false, ProblemCodes.NotAContact)]
    [TestCase(DirectMessages.Requests, false, true, false, "")]
    [TestCase(DirectMessages.Requests, true, false, false, "")]
    [TestCase(DirectMessages.Contacts, false, true, false, ProblemCodes.NotAContact)]
    [TestCase(DirectMessages.Contacts, true, false, false, "")]
    [TestCase(DirectMessages.Anyone, false, false, true, ProblemCodes.NotAllowed)]
    [TestCase(DirectMessages.Anyone, true, false, true, "")]
    [TestCase(DirectMessages.Requests, false, true, true, ProblemCodes.NotAllowed)]
    public void Whom_one_may_bring_into_a_group(DirectMessages policy, bool contacts, bool talk, bool leftLately, string code)
    {
        Lockout? lockout = leftLately ? Lockout.Since(Now) : null;
        void Add(bool blocked) => new Acquaintance(Bob, contacts, blocked, talk, lockout).EnsureMayBeAdded(policy, Now, "userIds/1");

        Assert.That(() => Add(blocked: false), code.Length == 0 ? (IResolveConstraint)Throws.Nothing : Refused(code, "userIds/1"));
        Assert.That(() => Add(blocked: true), Refused(ProblemCodes.Blocked, "userIds/1"));
    }

    [Test]
    public void Who_has_left_lately_may_be_brought_again_when_that_is_over()
    {
        var bob = new Acquaintance(Bob, Contacts: false, Blocked: false, Talk: false, Lockout.Since(Now));

        Assert.That(() => bob.EnsureMayBeAdded(DirectMessages.Anyone, Now + Duration.FromHours(24), "userIds/1"), Throws.Nothing);
    }

    private static Contact Friends { get; } = new(ContactStatus.Accepted, Bob, Before, Before);

    private static Contact Asked(UserId by, Instant? at = null) => new(ContactStatus.Pending, by, at ?? Now, AcceptedAt: null);

    private static Contact Accepted(UserId by) => new(ContactStatus.Accepted, by, Now, Now);

    private static FirstMessage Waiting(UserId from) => new(First, from, RequestStatus.Pending, AnsweredAt: null);

    // As ada sees it.
    private static Relationship Of(
        Contact? mine = null, Contact? theirs = null, FirstMessage? first = null, bool iBlock = false, bool theyBlock = false,
        Instant? iDeclinedAt = null, Instant? theyDeclinedAt = null, Instant? theyHeardOfOneTakenBackAt = null) =>
        Relationship.Restore(
            new Side(Ada, mine, iBlock, iDeclinedAt), new Side(Bob, theirs, theyBlock, theyDeclinedAt, theyHeardOfOneTakenBackAt), first,
            Duration.FromDays(30), Now);

    private static string Heard(Relationship pair) => string.Join(", ", pair.News.Select(news => $"{news.Fact.Audience} {news.Fact.Type}"));

    private static Constraint Refused(string code, string? place = null) =>
        Throws.TypeOf<RuleException>().With.Property(nameof(RuleException.Problem)).Matches<Problem>(
            problem => problem!.Code == code && (place is null || problem.Member == place));
}
