using Dapper;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Contacts;

/// <summary>How first messages that wait for an answer meet contacts, blocks and one another.</summary>
public sealed class MessageRequestTests : SliceFixture
{
    [TestCase(false)]
    [TestCase(true)]
    public async Task Who_become_contacts_have_accepted_what_waits(bool declinedBefore)
    {
        var (ada, bob, id) = await AskedAsync();
        if (declinedBefore)
            await AnswerAsync(bob, false);

        await BefriendAsync(bob, ada);

        Assert.That((await RequestAsync(ada, RequestDirection.Out)).Status, Is.EqualTo(RequestStatus.Accepted));
        Assert.That(await InboxAsync(bob), Is.EqualTo(new[] { id }));
        Assert.That((await Slices.ViewAsync(bob, id)).Me!.UnreadCount, Is.EqualTo(1));
        Assert.That((await Slices.TextAsync(ada, id)).Seq, Is.EqualTo(2));
    }

    [Test]
    public async Task A_conversation_opened_before_two_became_contacts_needs_no_answer()
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);

        await BefriendAsync(ada, bob);
        await Slices.TextAsync(ada, id);

        Assert.That(await InboxAsync(bob), Is.EqualTo(new[] { id }));
        Assert.That(await EventsAsync(bob), Is.EquivalentTo(new[]
        {
            "contact:requested", "contact:accepted", "conversation:created", "unread:changed", "settings:updated",
        }));
    }

    [Test]
    public async Task Each_is_told_of_an_answer_what_concerns_them_and_once()
    {
        var (ada, bob, _) = await AskedAsync();

        await AnswerAsync(bob, true);
        await AnswerAsync(bob, true);
        await BefriendAsync(ada, bob);

        Assert.That(await EventsAsync(ada), Is.EquivalentTo(new[] { "conversation:created", "contact:accepted", "request:answered" }));
        Assert.That(await EventsAsync(bob), Is.EquivalentTo(new[]
        {
            "request:received", "contact:accepted", "conversation:created", "unread:changed", "settings:updated", "request:answered",
        }));
    }

    [Test]
    public async Task A_cleared_message_is_not_shown_in_the_request()
    {
        var (ada, bob, id) = await AskedAsync();

        await Slices.SendAsync(new ClearHistory(new Actor(ada), id, LeavesInbox: false));

        Assert.That((await RequestAsync(ada, RequestDirection.Out)).Message, Is.Null);
        Assert.That((await RequestAsync(bob, RequestDirection.In)).Message, Is.Not.Null);
    }

    [Test]
    public async Task A_no_is_told_to_who_says_it_and_once()
    {
        var (ada, bob, _) = await AskedAsync();

        await AnswerAsync(bob, false);
        await AnswerAsync(bob, false);

        Assert.That(await EventsAsync(bob), Is.EqualTo(new[] { "request:received", "request:answered" }));
        Assert.That(await EventsAsync(ada), Does.Not.Contain("request:answered"));
    }

    [Test]
    public async Task Who_has_opened_it_has_it_no_more_when_the_other_one_writes_first()
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);

        await Slices.TextAsync(bob, id);

        Assert.That(await InboxAsync(ada), Is.Empty);
        Assert.That(await EventsAsync(ada), Is.EqualTo(new[] { "conversation:created", "conversation:deleted", "request:received" }));
        await AnswerAsync(ada, true);
        Assert.That(await InboxAsync(ada), Is.EqualTo(new[] { id }));
        Assert.That((await Slices.ViewAsync(ada, id)).Me!.UnreadCount, Is.EqualTo(1));
    }

    [TestCase(DirectMessages.Anyone, "")]
    [TestCase(DirectMessages.Contacts, ProblemCodes.NotAContact)]
    public async Task A_conversation_opened_under_another_policy_follows_the_current_one(DirectMessages policy, string code)
    {
        await using var changed = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = policy }));
        var (ada, bob) = (await changed.UserAsync(), await changed.UserAsync());
        var id = Guid.CreateVersion7();
        await changed.ExecuteAsync(
            """
            INSERT INTO conversations (id, type, created_by, participant_count, created_at, updated_at, last_event_at, last_activity_at,
                request)
            VALUES (@Id, 'direct', @Ada, 2, now(), now(), now(), now(), 'unsent');
            INSERT INTO participants (conversation_id, user_id, role, joined_at)
            SELECT @Id, u, 'member', now() FROM unnest(ARRAY[@Ada, @Bob]) AS u
            """,
            new { Id = id, Ada = ada.Value, Bob = bob.Value });

        Assert.That(await CodeAsync(() => changed.TextAsync(ada, new ConversationId(id))), Is.EqualTo(code));
        Assert.That((await changed.SendAsync(new ListRequests(new Actor(bob), RequestDirection.In, null, null, 10))).Items, Is.Empty);
    }

    [Test]
    public async Task Of_first_messages_in_two_contexts_at_once_one_asks()
    {
        for (var i = 0; i < 5; i++)
        {
            var (ada, bob) = await PairAsync();

            var codes = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(() => CodeAsync(() => Slices.SendAsync(
                new OpenDirect(new Actor(n % 2 == 0 ? ada : bob), n % 2 == 0 ? bob : ada, new ConversationContext("posting", $"{n}"),
                    new MessageContent(Text: "hi")))))));

            Assert.That(codes.Count(code => code.Length == 0), Is.EqualTo(1));
            Assert.That(codes.Where(code => code.Length > 0), Has.All.EqualTo(ProblemCodes.RequestPending));
        }
    }

    [Test]
    public async Task A_first_message_repeated_at_once_is_one_message_and_one_request()
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);

        var sent = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Slices.TextAsync(ada, id, "hi", "key"))));

        Assert.That(sent.Select(message => message.Id).Distinct().Count(), Is.EqualTo(1));
        Assert.That((await RequestAsync(bob, RequestDirection.In)).Message!.Id, Is.EqualTo(sent[0].Id));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Accepting_and_blocking_at_once_leave_nothing_that_can_be_written_to(bool request)
    {
        for (var i = 0; i < 5; i++)
        {
            var (ada, bob, id) = await AskedAsync();
            await Slices.SendAsync(new RequestContact(new Actor(bob), ada));

            var codes = await Task.WhenAll(
                Task.Run(() =>
                    CodeAsync(() => request ? AnswerAsync(bob, true) : Slices.SendAsync(new AnswerContact(new Actor(ada), bob, true)))),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new BlockUser(new Actor(bob), ada)))));

            Assert.That((codes[0], codes[1]), Is.AnyOf(("", ""), (ProblemCodes.Blocked, "")));
            Assert.That(await CodeAsync(() => Slices.TextAsync(ada, id)), Is.EqualTo(ProblemCodes.Blocked));
            Assert.That((await RequestAsync(bob, RequestDirection.In)).Status,
                Is.EqualTo(codes[0].Length == 0 ? RequestStatus.Accepted : RequestStatus.Pending));
        }
    }

    [Test]
    public async Task Accepting_and_declining_a_contact_at_once_leave_what_the_answers_say()
    {
        for (var i = 0; i < 5; i++)
        {
            var (ada, bob) = await PairAsync();
            await Slices.SendAsync(new RequestContact(new Actor(ada), bob));

            var codes = await Task.WhenAll(new[] { true, false }.Select(
                yes => Task.Run(() => CodeAsync(() => Slices.SendAsync(new AnswerContact(new Actor(bob), ada, yes))))));

            Assert.That((codes[0], codes[1]), Is.AnyOf(("", ProblemCodes.AlreadyExists), (ProblemCodes.NotFound, "")));
            var contacts = (await Slices.SendAsync(new ListContacts(new Actor(bob), null, null, 10))).Items;
            Assert.That(contacts.Count(contact => contact.Status is ContactStatus.Accepted), Is.EqualTo(codes[0].Length == 0 ? 1 : 0));
        }
    }

    [Test]
    public async Task Opening_from_both_sides_while_blocking_finds_what_the_first_has_made()
    {
        for (var i = 0; i < 10; i++)
        {
            var (ada, bob) = await PairAsync();

            var codes = await Task.WhenAll(
                Task.Run(() => CodeAsync(() => Slices.DirectAsync(ada, bob))),
                Task.Run(() => CodeAsync(() => Slices.DirectAsync(bob, ada))),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new BlockUser(new Actor(bob), ada)))));

            var made = await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM direct_keys WHERE direct_key = @Key",
                new { Key = NewConversation.DirectKey(ada, bob, context: null) });
            Assert.That(codes[..2], made == 1 ? Has.Some.EqualTo("") : Has.All.EqualTo(ProblemCodes.Blocked));
            Assert.That(codes[..2], made == 1 ? Has.All.EqualTo("") : Has.All.EqualTo(ProblemCodes.Blocked));
        }
    }

    [Test]
    public async Task With_a_deleted_conversation_goes_its_request_and_the_pair_may_ask_again()
    {
        var (ada, bob, id) = await AskedAsync();
        var request = await RequestAsync(bob, RequestDirection.In);

        await Slices.SendAsync(new DeleteConversation(Actor.Service, id));

        Assert.That(await CodeAsync(() => Slices.SendAsync(new AnswerRequest(new Actor(bob), request.Id, true))),
            Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob))).Seq, Is.EqualTo(1));
    }

    [Test]
    public async Task Deleting_and_accepting_at_once_end_deleted()
    {
        for (var i = 0; i < 5; i++)
        {
            var (ada, bob, id) = await AskedAsync();
            var answer = new AnswerRequest(new Actor(bob), (await RequestAsync(bob, RequestDirection.In)).Id, Accepts: true);

            var codes = await Task.WhenAll(
                Task.Run(() => CodeAsync(() => Slices.SendAsync(answer))),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new DeleteConversation(Actor.Service, id)))));

            Assert.That((codes[0], codes[1]), Is.AnyOf(("", ""), (ProblemCodes.NotFound, "")));
            Assert.That(await CodeAsync(() => Slices.ViewAsync(ada, id)), Is.EqualTo(ProblemCodes.NotFound));
        }
    }

    // As with an Idempotency-Key, under which all of a request is one transaction.
    [Test]
    public async Task A_first_message_in_a_transaction_waits_for_the_pair_and_keeps_nobody_from_the_conversation()
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);
        await using var other = await Slices.OpenAsync();
        await using var held = await other.BeginTransactionAsync();
        await ExecuteAsync(
            "SELECT pg_advisory_xact_lock(hashtextextended('messaging:pair:' || least(@A, @B) || ' ' || greatest(@A, @B), 0))");

        var sending = Slices.SendAsync(new SendMessage(new Actor(ada), id, new MessageContent(Text: "hi")), () => Task.CompletedTask);
        await Slices.UntilAsync(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'");

        Assert.That(() => ExecuteAsync("SELECT id FROM conversations WHERE id = @Id FOR NO KEY UPDATE NOWAIT"), Throws.Nothing);
        await held.RollbackAsync();
        await sending;

        Task<int> ExecuteAsync(string sql) => other.ExecuteAsync(sql, new { A = ada.Value, B = bob.Value, Id = id.Value }, held);
    }

    // As with an Idempotency-Key, under which all of a request is one transaction, and without.
    [Test]
    public async Task A_conversation_deleted_while_it_is_being_opened_is_created_again([Values] bool within)
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);
        var command = new OpenDirect(new Actor(ada), bob, null, new MessageContent(Text: "hi"));

        await Task.WhenAll(await HoldingAsync<List<Task>>(id, LockPairSql, async () =>
        {
            List<Task> opening = [within ? Slices.SendAsync(command, () => Task.CompletedTask) : Slices.SendAsync(command)];
            await Slices.UntilAsync(
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'");
            await Slices.SendAsync(new DeleteConversation(Actor.Service, id));
            return opening;
        }));

        Assert.That(await InboxAsync(ada), Has.One.Items.And.None.EqualTo(id));
        Assert.That((await RequestAsync(bob, RequestDirection.In)).Message!.Text, Is.EqualTo("hi"));
    }

    [Test]
    public async Task Who_holds_the_pair_asks_by_a_first_message_however_many_wait_for_it()
    {
        var (ada, bob) = await PairAsync();
        var (queue, held) = (Slices.Get<PairQueue>(), new TaskCompletionSource());
        void Fill()
        {
            for (var i = 0; i < PairQueue.MaxWaiting; i++)
                _ = queue.WaitAsync(ada, blocks: false, _ => held.Task, CancellationToken.None);
        }

        var code = await CodeAsync(() => Slices.SendAsync(new OpenDirect(new Actor(ada), bob, null, new MessageContent(Text: "hi"), Fill)));
        held.SetResult();

        Assert.That(code, Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_block_and_its_end_get_through_whatever_the_other_one_does(bool blocks)
    {
        var (ada, bob, id) = await AskedAsync();
        if (!blocks)
            await Slices.SendAsync(new BlockUser(new Actor(bob), ada));

        var (queue, held) = (Slices.Get<PairQueue>(), new TaskCompletionSource());
        for (var i = 0; i < PairQueue.MaxWaiting; i++)
            _ = queue.WaitAsync(ada, blocks: false, _ => held.Task, CancellationToken.None);
        var blocking = await HoldingAsync<Task>(id, LockPairSql, async () =>
        {
            Task block = blocks
                ? Slices.SendAsync(new BlockUser(new Actor(bob), ada))
                : Slices.SendAsync(new UnblockUser(new Actor(bob), ada));
            // Others have had enough by then.
            while (!block.IsCompleted && !await Slices.ScalarAsync<bool>(LongWaitSql))
                await Task.Yield();
            return block;
        });
        held.SetResult();

        await blocking;
        Assert.That(
            await Slices.ScalarAsync<bool>("SELECT blocked FROM conversations WHERE id = @Id", new { Id = id.Value }), Is.EqualTo(blocks));
    }

    private const string LongWaitSql =
        """
        SELECT count(*) > 0
        FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'advisory' AND clock_timestamp() - query_start > interval '1500 ms'
        """;

    [Test]
    public async Task Who_held_the_pair_before_it_was_rolled_back_queues_up_again([Values] bool toSavepoint)
    {
        var ((ada, bob, id), queue, held) = (await AskedAsync(), Slices.Get<PairQueue>(), new TaskCompletionSource());

        await Slices.UseAsync<PairStore>(async (session, pairs) =>
        {
            await session.BeginAsync(CancellationToken.None);
            await session.SaveAsync("before", CancellationToken.None);
            await pairs.LockAsync(ada, bob, CancellationToken.None);
            await (toSavepoint ? session.RollbackToAsync("before", CancellationToken.None) : session.RollbackAsync());
            if (!toSavepoint)
                await session.BeginAsync(CancellationToken.None);
            for (var i = 0; i < PairQueue.MaxWaiting; i++)
                _ = queue.WaitAsync(ada, blocks: false, _ => held.Task, CancellationToken.None);

            await using var other = await Slices.OpenAsync();
            await using var holding = await other.BeginTransactionAsync();
            await Dapper.SqlMapper.ExecuteAsync(other, LockPairSql, new { Id = id.Value }, holding);

            Assert.That(
                await RefusalAsync(() => pairs.LockAsync(ada, bob, CancellationToken.None)), Is.EqualTo(ProblemCodes.Unavailable));
        });
        held.SetResult();
    }

    [Test]
    public async Task Who_accepts_is_told_what_one_has_made_of_the_conversation_meanwhile()
    {
        var (_, bob, _) = await AskedAsync();

        await AnswerAsync(bob, yes: true);

        Assert.That(await EventsAsync(bob), Does.Contain("settings:updated"));
    }

    // Both want the conversation and its request.
    [Test]
    public async Task Who_accepts_what_is_being_deleted_waits_for_that_and_finds_nothing()
    {
        static string Wait(int count) =>
            $"SELECT count(*) = {count} FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

        var (_, bob, id) = await AskedAsync();
        var answer = new AnswerRequest(new Actor(bob), (await RequestAsync(bob, RequestDirection.In)).Id, Accepts: true);

        var codes = await Task.WhenAll(await HoldingAsync(id, LockSql, async () =>
        {
            var deleting = CodeAsync(() => Slices.SendAsync(new DeleteConversation(Actor.Service, id)));
            await Slices.UntilAsync(Wait(1));
            var accepting = CodeAsync(() => Slices.SendAsync(answer));
            await Slices.UntilAsync(Wait(2));
            return new[] { deleting, accepting };
        }));

        Assert.That(codes, Is.EqualTo(new[] { "", ProblemCodes.NotFound }));
    }

    [Test]
    public async Task A_block_and_its_end_are_told_to_ones_own_devices_alone()
    {
        var (ada, bob) = await PairAsync();

        for (var i = 0; i < 2; i++)
            await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        for (var i = 0; i < 2; i++)
            await Slices.SendAsync(new UnblockUser(new Actor(bob), ada));

        Assert.That(await EventsAsync(bob), Is.EqualTo(new[] { "block:changed", "block:changed" }));
        Assert.That(await EventsAsync(ada), Is.Empty);
    }

    [Test]
    public async Task A_removed_contact_is_told_as_it_was()
    {
        var (ada, bob) = await PairAsync();
        await BefriendAsync(ada, bob);

        await Slices.SendAsync(new RemoveContact(new Actor(ada), bob));

        var told = await Slices.ScalarAsync<string>(
            "SELECT payload ->> 'status' || ' ' || (payload -> 'user' ->> 'userId') FROM outbox WHERE user_id = @User "
                + "AND type = 'contact:removed'",
            new { User = bob.Value });
        Assert.That(told, Is.EqualTo($"accepted {ada}"));
    }

    private const string LockPairSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:pair:' || min(user_id) || ' ' || max(user_id), 0))
        FROM participants
        WHERE conversation_id = @Id
        """;

    protected override void Add(IServiceCollection services) =>
        services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests });

    private async Task<(UserId Ada, UserId Bob)> PairAsync() => (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));

    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> AskedAsync()
    {
        var (ada, bob) = await PairAsync();
        var id = await Slices.DirectAsync(ada, bob);
        await Slices.TextAsync(ada, id);
        return (ada, bob, id);
    }

    private async Task BefriendAsync(UserId one, UserId other)
    {
        await Slices.SendAsync(new RequestContact(new Actor(one), other));
        await Slices.SendAsync(new RequestContact(new Actor(other), one));
    }

    private async Task<MessageRequestView> RequestAsync(UserId user, RequestDirection direction) =>
        (await Slices.SendAsync(new ListRequests(new Actor(user), direction, Status: null, Cursor: null, Limit: 10))).Items.Single();

    private async Task<MessageRequestView> AnswerAsync(UserId user, bool yes) =>
        await Slices.SendAsync(new AnswerRequest(new Actor(user), (await RequestAsync(user, RequestDirection.In)).Id, yes));

    private async Task<IEnumerable<ConversationId>> InboxAsync(UserId user) =>
        (await Slices.SendAsync(new ListInbox(new Actor(user), InboxFilter.All, null, null, null, null, 30))).Items.Select(c => c.Id);

    private async Task<IReadOnlyList<string>> EventsAsync(UserId user) => await Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type FROM outbox WHERE user_id = @User ORDER BY occurred_at", new { User = user.Value }, CancellationToken.None));
}
