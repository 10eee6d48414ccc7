using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Contacts;

/// <summary>Contacts, blocks and message requests.</summary>
public sealed class ContactTests : SliceFixture
{
    private Slices asking = null!;

    [OneTimeSetUp]
    public async Task StartAsync() =>
        asking = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests }));

    [OneTimeTearDown]
    public async Task StopAsync() => await asking.DisposeAsync();

    [Test]
    public async Task Asking_who_has_asked_accepts()
    {
        var (ada, bob) = await PairAsync(Slices);

        var asked = await AskAsync(ada, bob);
        var again = await AskAsync(ada, bob);
        var accepted = await AskAsync(bob, ada);

        Assert.That((asked.Created, asked.Value.Status), Is.EqualTo((true, ContactStatus.Pending)));
        Assert.That(again, Is.EqualTo(asked with { Created = false }));
        Assert.That(
            (accepted.Created, accepted.Value.Status, accepted.Value.RequestedBy), Is.EqualTo((false, ContactStatus.Accepted, ada)));
        Assert.That((await ContactsAsync(ada)).Single().Status, Is.EqualTo(ContactStatus.Accepted));
    }

    [Test]
    public async Task Twenty_simultaneous_questions_from_both_sides_make_one_contact()
    {
        var (ada, bob) = await PairAsync(Slices);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => i % 2 == 0 ? AskAsync(ada, bob) : AskAsync(bob, ada))));

        Assert.That((await ContactsAsync(ada)).Single().Status, Is.EqualTo(ContactStatus.Accepted));
        Assert.That((await ContactsAsync(bob)).Single().Status, Is.EqualTo(ContactStatus.Accepted));
    }

    [Test]
    public async Task Whoever_is_declined_is_not_told()
    {
        var (ada, bob) = await PairAsync(Slices);
        await AskAsync(ada, bob);

        await Slices.SendAsync(new AnswerContact(new Actor(bob), ada, Accepts: false));

        Assert.That((await ContactsAsync(ada)).Single().Status, Is.EqualTo(ContactStatus.Pending));
        Assert.That(await ContactsAsync(bob), Is.Empty);
        Assert.That((await AskAsync(ada, bob)).Created, Is.False);
        Assert.That((await AskAsync(bob, ada)).Value.Status, Is.EqualTo(ContactStatus.Accepted));
    }

    [Test]
    public async Task Nobody_answers_ones_own_question_or_one_that_is_not_there()
    {
        var (ada, bob) = await PairAsync(Slices);
        await AskAsync(ada, bob);

        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new AnswerContact(new Actor(ada), bob, true))), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new AnswerContact(new Actor(bob), bob, true))), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await ProblemAsync(() => AskAsync(ada, new UserId("nobody")))).Member, Is.EqualTo("userId"));
        await Slices.SendAsync(new RemoveContact(new Actor(ada), bob));
        Assert.That(await ContactsAsync(bob), Is.Empty);
        Assert.That(await RefusalAsync(() => Slices.SendAsync(new RemoveContact(new Actor(ada), bob))), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task A_block_stops_direct_messages_both_ways_until_both_have_lifted_it()
    {
        var (ada, bob) = await PairAsync(Slices);
        var id = await Slices.DirectAsync(ada, bob);
        var group = await Slices.GroupAsync(ada, bob);

        await BlockAsync(bob, ada);
        await BlockAsync(ada, bob);
        await Slices.SendAsync(new UnblockUser(new Actor(ada), bob));

        Assert.That(await RefusalAsync(() => Slices.TextAsync(ada, id)), Is.EqualTo(ProblemCodes.Blocked));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(bob, id)), Is.EqualTo(ProblemCodes.Blocked));
        Assert.That(await RefusalAsync(() => AskAsync(ada, bob)), Is.EqualTo(ProblemCodes.Blocked));
        Assert.That((await Slices.TextAsync(ada, group)).Seq, Is.EqualTo(2));
        await Slices.SendAsync(new UnblockUser(new Actor(bob), ada));
        Assert.That((await Slices.TextAsync(ada, id)).Seq, Is.EqualTo(1));
    }

    [Test]
    public async Task Across_a_block_nothing_is_opened_nobody_added_to_a_group_and_neither_finds_the_other()
    {
        var (ada, bob) = await PairAsync(Slices);
        var other = await Slices.UserAsync();
        var group = await Slices.GroupAsync(ada, other);
        await Slices.ExecuteAsync("UPDATE users SET display_name = 'Quixotia' WHERE id = @Id", new { Id = bob.Value });

        await BlockAsync(bob, ada);

        Assert.That((await ProblemAsync(() => Slices.DirectAsync(ada, bob))).Code, Is.EqualTo(ProblemCodes.Blocked));
        Assert.That(
            (await ProblemAsync(() => Slices.SendAsync(new AddParticipants(new Actor(ada), group, [bob], null)))).Member,
            Is.EqualTo("userIds/0"));
        Assert.That((await ProblemAsync(() => Slices.GroupAsync(ada, other, bob))).Member, Is.EqualTo("participantIds/1"));
        Assert.That((await ProblemAsync(() => Slices.GroupAsync(bob, ada))).Member, Is.EqualTo("participantIds/0"));
        Assert.That((await Slices.SendAsync(new SearchUsers(new Actor(ada), "quixo", 10, null))).Items, Is.Empty);
        Assert.That((await Slices.SendAsync(new SearchUsers(new Actor(other), "quixo", 10, null))).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_stored_after_a_block_was_answered()
    {
        var (ada, bob) = await PairAsync(Slices);
        var id = await Slices.DirectAsync(ada, bob);
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await CodeAsync(() => Slices.TextAsync(ada, id));
        })));
        while ((await Slices.ViewAsync(bob, id)).LastSeq < 10)
            await Task.Yield();

        await BlockAsync(bob, ada);
        var last = (await Slices.ViewAsync(bob, id)).LastSeq;
        for (var i = 0; i < 20; i++)
            await Slices.ViewAsync(bob, id);
        await stop.CancelAsync();
        await sending;

        Assert.That((await Slices.ViewAsync(bob, id)).LastSeq, Is.EqualTo(last));
    }

    [Test]
    public async Task Opening_and_blocking_at_once_leave_nothing_that_can_be_written_to()
    {
        for (var i = 0; i < 10; i++)
        {
            var (ada, bob) = await PairAsync(Slices);

            await Task.WhenAll(Task.Run(() => CodeAsync(() => Slices.DirectAsync(ada, bob))), Task.Run(() => BlockAsync(bob, ada)));

            Assert.That(
                await CodeAsync(async () => await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob))),
                Is.EqualTo(ProblemCodes.Blocked));
        }
    }

    [Test]
    public async Task A_first_message_waits_for_its_answer_and_is_seen_by_the_receiver_there_alone()
    {
        var (ada, bob) = await PairAsync(asking);
        var id = await asking.DirectAsync(ada, bob);

        await asking.TextAsync(ada, id, "Hello?");

        var request = (await RequestsAsync(bob, RequestDirection.In)).Single();
        Assert.That((request.From.UserId, request.Status, request.Message!.Text), Is.EqualTo((ada, RequestStatus.Pending, "Hello?")));
        Assert.That(await InboxAsync(asking, bob), Is.Empty);
        Assert.That((await asking.SendAsync(new Application.Receipts.GetUnread(new Actor(bob)))).Messages, Is.Zero);
        Assert.That((await asking.ViewAsync(bob, id)).LastSeq, Is.EqualTo(1));
        Assert.That(await RefusalAsync(() => asking.TextAsync(ada, id)), Is.EqualTo(ProblemCodes.RequestPending));
        Assert.That(await RefusalAsync(() => asking.TextAsync(bob, id)), Is.EqualTo(ProblemCodes.RequestPending));
        Assert.That(await RefusalAsync(() => AnswerAsync(ada, request.Id, true)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(async () => await AnswerAsync(await asking.UserAsync(), request.Id, true)),
            Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task Accepting_makes_both_contacts_and_opens_the_conversation()
    {
        var (ada, bob) = await PairAsync(asking);
        var id = await asking.DirectAsync(ada, bob);
        await asking.TextAsync(ada, id);

        var accepted = await AnswerAsync(bob, (await RequestsAsync(bob, RequestDirection.In)).Single().Id, true);

        Assert.That((accepted.Status, accepted.AnsweredAt.HasValue), Is.EqualTo((RequestStatus.Accepted, true)));
        Assert.That(await InboxAsync(asking, bob), Is.EqualTo(new[] { id }));
        Assert.That((await asking.SendAsync(new Application.Receipts.GetUnread(new Actor(bob)))).Messages, Is.EqualTo(1));
        Assert.That((await asking.TextAsync(bob, id)).Seq, Is.EqualTo(2));
        Assert.That(
            (await asking.SendAsync(new ListContacts(new Actor(ada), ContactStatus.Accepted, null, 10))).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Declining_tells_the_sender_nothing_and_the_pair_has_no_second_request()
    {
        var (ada, bob) = await PairAsync(asking);
        var id = await asking.DirectAsync(ada, bob);
        await asking.TextAsync(ada, id);
        var request = (await RequestsAsync(bob, RequestDirection.In)).Single();

        await AnswerAsync(bob, request.Id, false);

        var seen = (await RequestsAsync(ada, RequestDirection.Out)).Single();
        Assert.That((seen.Status, seen.AnsweredAt), Is.EqualTo((RequestStatus.Pending, (NodaTime.Instant?)null)));
        Assert.That(await RefusalAsync(() => asking.TextAsync(ada, id)), Is.EqualTo(ProblemCodes.RequestPending));
        var another = new OpenDirect(
            new Actor(ada), bob, new Domain.Conversations.ConversationContext("posting", "1"), new MessageContent(Text: "again"));
        Assert.That(await RefusalAsync(() => asking.SendAsync(another)), Is.EqualTo(ProblemCodes.RequestPending));
        Assert.That((await AnswerAsync(bob, request.Id, true)).Status, Is.EqualTo(RequestStatus.Accepted));
    }

    [Test]
    public async Task Of_two_first_messages_at_once_one_asks()
    {
        var (ada, bob) = await PairAsync(asking);
        var id = await asking.DirectAsync(ada, bob);

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(i => Task.Run(() => CodeAsync(() => asking.TextAsync(i % 2 == 0 ? ada : bob, id)))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(1));
        Assert.That(outcomes.Where(code => code.Length > 0), Has.All.EqualTo(ProblemCodes.RequestPending));
    }

    [Test]
    public async Task Yes_and_no_at_once_leave_one_answer_and_a_state_that_fits_it()
    {
        for (var i = 0; i < 10; i++)
        {
            var (ada, bob) = await PairAsync(asking);
            var id = await asking.DirectAsync(ada, bob);
            await asking.TextAsync(ada, id);
            var request = (await RequestsAsync(bob, RequestDirection.In)).Single();

            await Task.WhenAll(new[] { true, false }.Select(yes => Task.Run(() => CodeAsync(() => AnswerAsync(bob, request.Id, yes)))));

            Assert.That((await RequestsAsync(bob, RequestDirection.In)).Single().Status, Is.EqualTo(RequestStatus.Accepted));
            Assert.That(await CodeAsync(() => asking.TextAsync(ada, id)), Is.Empty);
        }
    }

    [Test]
    public async Task Where_only_contacts_write_to_each_other_a_stranger_opens_nothing()
    {
        await using var closed = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Contacts }));
        var (ada, bob) = await PairAsync(closed);

        Assert.That(await RefusalAsync(() => closed.DirectAsync(ada, bob)), Is.EqualTo(ProblemCodes.NotAContact));
        await closed.SendAsync(new RequestContact(new Actor(ada), bob));
        await closed.SendAsync(new RequestContact(new Actor(bob), ada));
        Assert.That((await closed.TextAsync(ada, await closed.DirectAsync(ada, bob))).Seq, Is.EqualTo(1));
    }

    private static async Task<(UserId Ada, UserId Bob)> PairAsync(Slices slices) =>
        (await slices.UserAsync("ada"), await slices.UserAsync("bob"));

    private Task<Upserted<ContactView>> AskAsync(UserId one, UserId other) => Slices.SendAsync(new RequestContact(new Actor(one), other));

    private Task<BlockedUser> BlockAsync(UserId one, UserId other) => Slices.SendAsync(new BlockUser(new Actor(one), other));

    private async Task<IReadOnlyList<ContactView>> ContactsAsync(UserId user) =>
        (await Slices.SendAsync(new ListContacts(new Actor(user), Status: null, Cursor: null, Limit: 10))).Items;

    private async Task<IReadOnlyList<MessageRequestView>> RequestsAsync(UserId user, RequestDirection direction) =>
        (await asking.SendAsync(new ListRequests(new Actor(user), direction, Status: null, Cursor: null, Limit: 10))).Items;

    private Task<MessageRequestView> AnswerAsync(UserId user, Guid request, bool yes) =>
        asking.SendAsync(new AnswerRequest(new Actor(user), request, yes));

    private static async Task<IEnumerable<ConversationId>> InboxAsync(Slices slices, UserId user) =>
        (await slices.SendAsync(new ListInbox(new Actor(user), InboxFilter.All, null, null, null, null, 30))).Items.Select(c => c.Id);
}
