using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests;

/// <summary>Two things at once that could break a rule together.</summary>
public sealed class RaceTests : SliceFixture
{
    private const int Rounds = 10;

    [Test]
    public async Task Nothing_is_said_after_a_conversation_was_closed()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, id) = await GroupAsync();

            var sending = SendAsync(users, id, 12);
            await Slices.SendAsync(new CloseConversation(new Actor(users[0]), id, CloseReason.Manual, null));
            var codes = await sending;

            var history = (await Slices.SendAsync(new ListMessages(new Actor(users[0]), id, null, null, null, 100))).Items;
            Assert.That(codes.Where(code => code.Length > 0), Is.All.EqualTo(ProblemCodes.ConversationClosed));
            Assert.That(history[^1].Type, Is.EqualTo(MessageType.System));
            Assert.That(history, Has.Count.EqualTo(2 + codes.Count(code => code.Length == 0)));
        }
    }

    [Test]
    public async Task Nothing_is_said_after_a_conversation_was_archived()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, id) = await GroupAsync();

            var sending = SendAsync(users, id, 12);
            var archived = await Slices.SendAsync(new ArchiveConversation(new Actor(users[0]), id, Archived: true));
            var codes = await sending;

            Assert.That(codes.Where(code => code.Length > 0), Is.All.EqualTo(ProblemCodes.ConversationArchived));
            Assert.That((await Slices.ViewAsync(users[0], id)).LastSeq,
                Is.EqualTo(archived.LastSeq).And.EqualTo(1 + codes.Count(code => code.Length == 0)));
        }
    }

    // Whoever clears first may be the last to get the row, with the seq of when it asked.
    [Test]
    public async Task A_clearing_that_is_overtaken_does_not_bring_cleared_messages_back()
    {
        var (users, id) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await using var connection = await Slices.OpenAsync();
        await using var later = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            "SELECT FROM participants WHERE conversation_id = @Id AND user_id = @User FOR UPDATE",
            new { Id = id.Value, User = users[1].Value }, later);

        var earlier = Slices.SendAsync(new ClearHistory(new Actor(users[1]), id, LeavesInbox: true));
        await Slices.UntilAsync(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')");
        await Slices.TextAsync(users[0], id);
        await connection.ExecuteAsync(
            "UPDATE participants SET cleared_seq = 3, hidden_seq = 3 WHERE conversation_id = @Id AND user_id = @User",
            new { Id = id.Value, User = users[1].Value }, later);
        await later.CommitAsync();
        await earlier;

        var me = (await Slices.ViewAsync(users[1], id)).Me!;
        Assert.That((me.ClearedSeq, me.Hidden), Is.EqualTo((3L, true)));
    }

    [Test]
    public async Task A_message_sent_during_a_clearing_is_either_cleared_or_unread()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, id) = await GroupAsync();

            var sending = SendAsync([users[0]], id, 12);
            await Slices.SendAsync(new ClearHistory(new Actor(users[1]), id, LeavesInbox: round % 2 == 0));
            await sending;

            var (view, history) = (
                await Slices.ViewAsync(users[1], id),
                (await Slices.SendAsync(new ListMessages(new Actor(users[1]), id, null, null, null, 100))).Items);
            Assert.That(history.Select(message => message.Seq),
                Is.EqualTo(Enumerable.Range(1, 13).Select(seq => (long)seq).Where(seq => seq > view.Me!.ClearedSeq)));
            Assert.That(view.Me!.UnreadCount, Is.EqualTo(history.Count(message => message.SenderId is not null)));
        }
    }

    [Test]
    public async Task A_slug_goes_to_one_group_of_those_that_ask_for_it_at_once()
    {
        var users = await Slices.UsersAsync(2);
        var others = new List<ConversationId>();
        for (var i = 0; i < 5; i++)
            others.Add(await Slices.GroupAsync(users[0], users[1]));
        for (var round = 0; round < Rounds; round++)
        {
            var slug = $"slug-{Guid.NewGuid():N}";
            var codes = await Task.WhenAll(
                Enumerable.Range(0, 5).Select(_ => Task.Run(() => CodeAsync(() => Slices.SendAsync(
                    new CreateGroup(new Actor(users[0]), "Group", [users[1]], null, null, slug, null, null, null)))))
                .Concat(others.Select(id => Task.Run(() => CodeAsync(() => Slices.SendAsync(
                    new UpdateConversation(new Actor(users[0]), id, null, default, default, default, new(slug), default, default)))))));

            Assert.That(codes.Count(code => code.Length == 0), Is.EqualTo(1));
            Assert.That(codes.Where(code => code.Length > 0), Is.All.EqualTo(ProblemCodes.AlreadyExists));
        }
    }

    [Test]
    public async Task Handing_over_while_both_leave_leaves_one_owner_or_nobody()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, id) = await GroupAsync();

            var codes = await Task.WhenAll(
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new HandOverGroup(new Actor(users[0]), id, users[1])))),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new LeaveConversation(new Actor(users[1]), id)))),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new LeaveConversation(new Actor(users[0]), id)))));

            var view = await Slices.ViewAsync(users[2], id);
            Assert.That(codes[1..], Is.All.Empty);
            Assert.That(codes[0], Is.Empty.Or.EqualTo(ProblemCodes.InvalidRequest).Or.EqualTo(ProblemCodes.NotFound));
            Assert.That((view.ParticipantCount, view.OwnerId, view.Me!.Role), Is.EqualTo((1, (UserId?)users[2], ParticipantRole.Owner)));
        }
    }

    // Whoever waits for the row has seen the block.
    [TestCase("reads", MessageRead.Name)]
    [TestCase("receives", MessageDelivered.Name)]
    [TestCase("fetches", MessageDelivered.Name)]
    public async Task Reading_while_the_block_is_lifted_is_told_to_the_other_user(string what, string type)
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.DirectAsync(ada, bob);
        await Slices.TextAsync(ada, id);
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        var other = await Slices.GroupAsync(ada, await Slices.UserAsync());

        var moving = Task.CompletedTask;
        await Slices.SendAsync(new UnblockUser(new Actor(bob), ada), async () =>
        {
            moving = MoveAsync(what, new Actor(bob), id);
            // What comes after it is written, and passes it over.
            for (var i = 0; i < 3; i++)
                await Slices.TextAsync(ada, other);
            Assert.That(moving.IsCompleted, Is.False);
        });
        await moving;

        var sql = "SELECT count(*) FROM outbox WHERE conversation_id = @Id AND type = @Type AND user_id IS NULL "
            + "AND payload ->> 'userId' = @Bob";
        Assert.That(await Slices.ScalarAsync<long>(sql, new { Id = id.Value, Type = type, Bob = bob.Value }), Is.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_said_after_a_block_was_answered()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var users = await Slices.UsersAsync(2);
            var id = await Slices.DirectAsync(users[0], users[1]);

            var sending = SendAsync(users, id, 12);
            await Slices.SendAsync(new BlockUser(new Actor(users[1]), users[0]));
            var answered = (await Slices.ViewAsync(users[1], id)).LastSeq;
            var codes = await sending;

            Assert.That(codes.Where(code => code.Length > 0), Is.All.EqualTo(ProblemCodes.Blocked));
            Assert.That((answered, (await Slices.ViewAsync(users[1], id)).LastSeq), Is.EqualTo((answered, answered)));
            Assert.That(codes.Count(code => code.Length == 0), Is.EqualTo(answered));
        }
    }

    [Test]
    public async Task Each_change_of_a_direct_conversation_beside_others_raises_its_version_once_and_each_event_has_a_number()
    {
        var users = await Slices.UsersAsync(2);
        var (ada, id) = (new Actor(users[0]), await Slices.DirectAsync(users[0], users[1]));

        var blocking = Task.Run(async () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                await Slices.SendAsync(new BlockUser(ada, users[1]));
                await Slices.SendAsync(new UnblockUser(ada, users[1]));
            }
        });
        var updates = 0;
        for (; !blocking.IsCompleted; updates++)
        {
            await Slices.SendAsync(new UpdateConversation(
                Actor.Service, id, null, default, default, default, default, new(new JsonText($$"""{"n":{{updates}}}""")), default));
        }
        await blocking;

        var numbers = await Slices.SqlAsync(session => session.QueryAsync<long>(
            "SELECT event_no FROM outbox WHERE conversation_id = @Id AND event_no IS NOT NULL ORDER BY event_no", new { Id = id.Value },
            CancellationToken.None));
        Assert.That((await Slices.ViewAsync(users[0], id)).Version, Is.EqualTo(1 + (2 * Rounds) + updates));
        Assert.That(numbers, Is.EqualTo(Enumerable.Range(1, 1 + updates)));
    }

    [Test]
    public async Task A_first_message_waits_for_nobody_who_becomes_a_contact_meanwhile()
    {
        await using var asking = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests }));
        for (var round = 0; round < Rounds; round++)
        {
            var (ada, bob) = (await asking.UserAsync("ada"), await asking.UserAsync("bob"));
            var id = await asking.DirectAsync(ada, bob);
            await asking.SendAsync(new RequestContact(new Actor(bob), ada));

            await Task.WhenAll(
                Task.Run(() => asking.TextAsync(ada, id)), Task.Run(() => asking.SendAsync(new RequestContact(new Actor(ada), bob))));

            Assert.That((await asking.TextAsync(ada, id)).Seq, Is.EqualTo(2));
            Assert.That((await asking.ViewAsync(bob, id)).Me!.UnreadCount, Is.EqualTo(2));
            Assert.That(
                (await asking.SendAsync(new ListRequests(new Actor(bob), RequestDirection.In, RequestStatus.Pending, null, 10))).Items,
                Is.Empty);
        }
    }

    private Task MoveAsync(string what, Actor actor, ConversationId id) => what switch
    {
        "reads" => Slices.SendAsync(new MarkRead(actor, id, null)),
        "receives" => Slices.SendAsync(new MarkDelivered(actor, id, null)),
        _ => Slices.SendAsync(new ListMessages(actor, id, null, null, null, 10)),
    };

    private async Task<(IReadOnlyList<UserId> Users, ConversationId Id)> GroupAsync()
    {
        var users = await Slices.UsersAsync(3);
        return (users, await Slices.GroupAsync(users[0], users[1], users[2]));
    }

    private Task<string[]> SendAsync(IReadOnlyList<UserId> users, ConversationId id, int count) => Task.WhenAll(
        Enumerable.Range(0, count).Select(i => Task.Run(() => CodeAsync(() => Slices.TextAsync(users[i % users.Count], id)))));
}
