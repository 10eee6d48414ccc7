using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Tests.Participants;

/// <summary>
/// Whom one may bring into a group: those whom the rule for direct messages lets one write to, and nobody across a block.
/// </summary>
public sealed class GroupAddingTests : SliceFixture
{
    private const string SomebodyWaits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";

    private Slices asking = null!;
    private Slices closed = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        asking = await StartAsync(DirectMessages.Requests);
        closed = await StartAsync(DirectMessages.Contacts);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await asking.DisposeAsync();
        await closed.DisposeAsync();
    }

    [Test]
    public async Task Where_only_contacts_write_to_each_other_one_brings_only_contacts()
    {
        var (ada, friend, stranger) = (await closed.UserAsync(), await closed.UserAsync(), await closed.UserAsync());
        await BecomeContactsAsync(closed, ada, friend);
        var group = await closed.GroupAsync(ada, friend);

        var made = await ProblemAsync(() => closed.GroupAsync(ada, friend, stranger));
        var added = await ProblemAsync(() => AddAsync(closed, ada, group, friend, stranger));

        Assert.That((made.Code, made.Member), Is.EqualTo((ProblemCodes.NotAContact, "participantIds/1")));
        Assert.That((added.Code, added.Member), Is.EqualTo((ProblemCodes.NotAContact, "userIds/1")));
        Assert.That((await closed.ViewAsync(ada, group)).ParticipantCount, Is.EqualTo(2));
    }

    [Test]
    public async Task Where_a_first_message_asks_one_brings_contacts_and_those_with_whom_one_talks()
    {
        var (ada, friend) = (await asking.UserAsync(), await asking.UserAsync());
        var (partner, stranger) = (await asking.UserAsync(), await asking.UserAsync());
        await BecomeContactsAsync(asking, ada, friend);
        await BecomeContactsAsync(asking, ada, partner);
        await asking.DirectAsync(ada, partner);
        await asking.SendAsync(new RemoveContact(new Actor(ada), partner));
        await asking.TextAsync(ada, await asking.DirectAsync(ada, stranger));

        var group = await asking.GroupAsync(ada, friend, partner);

        Assert.That((await asking.ViewAsync(ada, group)).ParticipantCount, Is.EqualTo(3));
        Assert.That((await ProblemAsync(() => AddAsync(asking, ada, group, stranger))).Code, Is.EqualTo(ProblemCodes.NotAContact));
    }

    [Test]
    public async Task The_service_brings_whom_it_likes()
    {
        var (ada, bob, eve) = (await closed.UserAsync(), await closed.UserAsync(), await closed.UserAsync());
        await closed.SendAsync(new BlockUser(new Actor(ada), bob));

        var group = (await closed.SendAsync(new CreateGroup(Actor.Service, "Group", [ada, bob], null, null, null, null, null, null))).Id;
        await closed.SendAsync(new AddParticipants(Actor.Service, group, [eve], null));

        Assert.That((await closed.ViewAsync(ada, group)).ParticipantCount, Is.EqualTo(3));
    }

    [Test]
    public async Task Who_is_in_already_is_not_asked_about()
    {
        var (ada, bob) = (await closed.UserAsync(), await closed.UserAsync());
        var group = (await closed.SendAsync(new CreateGroup(Actor.Service, "Group", [ada, bob], null, null, null, null, null, null))).Id;
        await closed.SendAsync(new ChangeRole(Actor.Service, group, ada, Domain.Participants.ParticipantRole.Admin));
        await closed.SendAsync(new BlockUser(new Actor(bob), ada));

        Assert.That(await CodeAsync(() => AddAsync(closed, ada, group, bob, ada)), Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nobody_is_brought_across_a_block_by_either(bool byTheOneWhoBlocks)
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, eve);
        var (blocker, blocked) = byTheOneWhoBlocks ? (ada, bob) : (bob, ada);
        await Slices.SendAsync(new BlockUser(new Actor(blocker), blocked));

        var made = await ProblemAsync(() => Slices.GroupAsync(ada, eve, bob));
        var added = await ProblemAsync(() => AddAsync(Slices, ada, group, bob));

        Assert.That((made.Code, made.Member), Is.EqualTo((ProblemCodes.Blocked, "participantIds/1")));
        Assert.That((added.Code, added.Member), Is.EqualTo((ProblemCodes.Blocked, "userIds/0")));
    }

    [Test]
    public async Task Nobody_is_brought_into_a_group_after_a_block_was_answered()
    {
        for (var round = 0; round < 10; round++)
        {
            var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
            var groups = new List<ConversationId>();
            for (var i = 0; i < 8; i++)
                groups.Add(await Slices.GroupAsync(ada, eve));

            // What was not in when the block was answered must not come in afterwards.
            var adding = groups.ConvertAll(group => Task.Run(() => CodeAsync(() => AddAsync(Slices, ada, group, bob))));
            await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
            var before = await CountAsync(bob);
            await Task.WhenAll(adding);

            Assert.That(await CountAsync(bob), Is.EqualTo(before));
        }
    }

    [Test]
    public async Task Who_left_is_not_brought_back_for_a_day_but_by_the_service()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var (eve, carl) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob, eve);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), group));
        await Slices.SendAsync(new RemoveParticipant(new Actor(eve), group, eve));

        var again = await ProblemAsync(() => AddAsync(Slices, ada, group, bob));
        var both = await ProblemAsync(() => AddAsync(Slices, ada, group, carl, eve));
        await Slices.SendAsync(new AddParticipants(Actor.Service, group, [bob], null));

        Assert.That((again.Code, again.Member, both.Member), Is.EqualTo((ProblemCodes.NotAllowed, "userIds/0", "userIds/1")));
        Assert.That((await Slices.ViewAsync(bob, group)).ParticipantCount, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_left_is_brought_into_no_other_group_either_by_those_who_are_in_the_one_that_was_left()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var (left, other) = (await Slices.GroupAsync(ada, bob), await Slices.GroupAsync(ada, eve));
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));

        var made = await ProblemAsync(() => Slices.GroupAsync(ada, eve, bob));
        var added = await ProblemAsync(() => AddAsync(Slices, ada, other, bob));

        Assert.That((made.Code, made.Member), Is.EqualTo((ProblemCodes.NotAllowed, "participantIds/1")));
        Assert.That((added.Code, added.Member), Is.EqualTo((ProblemCodes.NotAllowed, "userIds/0")));
        Assert.That(await CodeAsync(() => Slices.GroupAsync(eve, bob)), Is.Empty);
    }

    [Test]
    public async Task Who_left_is_brought_into_others_by_contacts_and_the_service_but_not_back_by_contacts()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        await BecomeContactsAsync(Slices, ada, bob);
        var left = await Slices.GroupAsync(ada, bob, eve);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));

        Assert.That(await CodeAsync(() => Slices.GroupAsync(ada, bob)), Is.Empty);
        Assert.That(await RefusalAsync(() => AddAsync(Slices, ada, left, bob)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => Slices.GroupAsync(eve, bob)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await CodeAsync(
            () => Slices.SendAsync(new CreateGroup(Actor.Service, "Group", [eve, bob], null, null, null, null, null, null))), Is.Empty);
    }

    [Test]
    public async Task Who_left_is_left_alone_also_by_who_had_left_before()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var left = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new LeaveConversation(new Actor(ada), left));
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));

        Assert.That(await RefusalAsync(() => Slices.GroupAsync(ada, bob)), Is.EqualTo(ProblemCodes.NotAllowed));
    }

    [Test]
    public async Task Who_left_is_left_alone_also_by_who_deletes_the_group_afterwards()
    {
        var (ada, bob, eve, zoe) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var left = await Slices.GroupAsync(ada, bob, eve);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));
        await Slices.SendAsync(new RemoveParticipant(new Actor(ada), left, eve));
        await Slices.SendAsync(new DeleteConversation(new Actor(ada), left));

        Assert.That(await RefusalAsync(() => Slices.GroupAsync(ada, bob)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => Slices.GroupAsync(eve, bob)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await CodeAsync(() => Slices.GroupAsync(zoe, bob)), Is.Empty);
        Assert.That(await CodeAsync(() => Slices.GroupAsync(ada, eve)), Is.Empty);
    }

    [Test]
    public async Task A_deleted_group_is_remembered_for_who_left_it_lately_alone_and_until_the_day_is_over()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var (left, other) = (await Slices.GroupAsync(ada, bob), await Slices.GroupAsync(ada, bob));
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));
        await Slices.SendAsync(new DeleteConversation(new Actor(ada), left));
        await Slices.SendAsync(new DeleteConversation(new Actor(ada), other));

        Assert.That(await RememberedAsync(left), Is.EqualTo(2));
        Assert.That(await RememberedAsync(other), Is.Zero);
        await Slices.ExecuteAsync(
            "UPDATE departures SET stays_out_until = stays_out_until - interval '24 hours' WHERE conversation_id = @Id",
            new { Id = left.Value });
        Assert.That(await CodeAsync(() => Slices.GroupAsync(ada, bob)), Is.Empty);
    }

    [Test]
    public async Task The_departure_remembered_of_a_deleted_group_goes_with_its_user()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var left = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));
        await Slices.SendAsync(new DeleteConversation(new Actor(ada), left));

        await Slices.ExecuteAsync("DELETE FROM users WHERE id = @Bob", new { Bob = bob.Value });

        Assert.That(await RememberedAsync(left), Is.EqualTo(1));
    }

    [Test]
    public async Task Who_was_put_out_is_brought_into_another_group_at_once()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.SendAsync(new RemoveParticipant(new Actor(ada), await Slices.GroupAsync(ada, bob), bob));

        Assert.That(await CodeAsync(() => Slices.GroupAsync(ada, bob)), Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Who_is_leaving_is_brought_into_no_group_meanwhile(bool isAdded)
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var (left, other) = (await Slices.GroupAsync(ada, bob), await Slices.GroupAsync(ada, eve));
        Task<string> bringing = null!;

        await Slices.SendAsync(new LeaveConversation(new Actor(bob), left), async () =>
        {
            bringing = Task.Run(() => CodeAsync(() => isAdded ? AddAsync(Slices, ada, other, bob) : Slices.GroupAsync(ada, bob)));
            await Task.WhenAny(bringing, Slices.UntilAsync(SomebodyWaits));
        });

        Assert.That(await bringing, Is.EqualTo(ProblemCodes.NotAllowed));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nobody_is_brought_into_a_group_after_the_leaving_of_another_was_answered(bool isAdded)
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var (left, other) = (await Slices.GroupAsync(ada, bob), await Slices.GroupAsync(ada, eve));
        Task<long> leaving = null!;

        await BringAsync(async () =>
        {
            leaving = Task.Run(async () =>
            {
                await Slices.SendAsync(new LeaveConversation(new Actor(bob), left));
                return await CountAsync(bob);
            });
            await Task.WhenAny(leaving, Slices.UntilAsync(SomebodyWaits));
        });

        Assert.That(await leaving, Is.EqualTo(await CountAsync(bob)));

        Task BringAsync(Func<Task> beforeCommit) => isAdded
            ? Slices.SendAsync(new AddParticipants(new Actor(ada), other, [bob], null), beforeCommit)
            : Slices.SendAsync(new CreateGroup(new Actor(ada), "Group", [bob], null, null, null, null, null, null), beforeCommit);
    }

    [Test]
    public async Task Recent_departures_are_found_by_index_however_many_conversations_there_are()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.ExecuteAsync(
            """
            WITH c AS (
                INSERT INTO conversations (id, type, name, participant_count, created_at, updated_at, last_event_at, last_activity_at)
                SELECT gen_random_uuid(), 'group', 'Group', 2, now(), now(), now(), now()
                FROM generate_series(1, 10000)
                RETURNING id
            )
            INSERT INTO participants (conversation_id, user_id, role, joined_at, left_at, stays_out_until)
            SELECT c.id, u.id, 'member', now(), u.left_at, u.left_at + interval '24 hours'
            FROM c, (VALUES (@Ada, NULL), (@Bob, now() - interval '2 days')) AS u (id, left_at);
            INSERT INTO departures (conversation_id, user_id, stays_out_until, ends_at)
            SELECT p.conversation_id, p.user_id, p.stays_out_until, now() - interval '1 day'
            FROM participants p
            WHERE p.user_id IN (@Ada, @Bob)
            """,
            new { Ada = ada.Value, Bob = bob.Value });
        await Slices.ExecuteAsync("ANALYZE participants, departures, conversations, users");

        var plan = string.Join('\n', await Slices.SqlAsync(async session =>
        {
            await session.BeginAsync(CancellationToken.None);
            // As requests have it.
            await session.ExecuteAsync("SET LOCAL random_page_cost = 1.1", null, CancellationToken.None);
            return await session.QueryAsync<string>(
                "EXPLAIN (ANALYZE, TIMING OFF) " + ((string)typeof(AcquaintancePart)
                    .GetField("LoadSql",
                        System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.GetRawConstantValue()!)
                    .Replace("$1", "@By").Replace("$2", "@UserIds").Replace("$3", "@Pairs"),
                new { By = new[] { ada.Value }, UserIds = new[] { bob.Value }, Pairs = new[] { $"{ada} {bob}" } },
                CancellationToken.None);
        }));

        Assert.That(plan, Does.Contain("ix_participants_stays_out").And.Contain("pk_participants").And.Not.Contain("Seq Scan"));
        Assert.That(plan, Does.Match(@"ix_participants_stays_out on participants p .*actual rows=0(\.00)? loops=1"));
        Assert.That(
            plan, Does.Match(@"ix_departures_stays_out on departures \w+ .*actual rows=0(\.00)? loops=1").And.Contain("pk_departures"));
    }

    [Test]
    public async Task A_group_that_nobody_was_in_and_that_is_reopened_is_owned_by_one_of_those_who_come()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var group = await Slices.GroupAsync(bob, ada);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), group));
        await Slices.SendAsync(new LeaveConversation(new Actor(ada), group));
        await Slices.SendAsync(new ReopenConversation(Actor.Service, group));

        var added = await Slices.SendAsync(new AddParticipants(Actor.Service, group, [bob, ada], null));

        Assert.That(
            added.Items.Select(one => (one.UserId, one.Role)),
            Is.EquivalentTo(new[] { (bob, ParticipantRole.Member), (ada, ParticipantRole.Owner) }));
        Assert.That((await Slices.ViewAsync(bob, group)).OwnerId, Is.EqualTo(ada));
    }

    [Test]
    public async Task Who_left_is_brought_back_after_a_day()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), group));
        await Slices.ExecuteAsync(
            "UPDATE participants SET stays_out_until = stays_out_until - interval '24 hours' WHERE conversation_id = @Id "
                + "AND user_id = @Bob",
            new { Id = group.Value, Bob = bob.Value });

        Assert.That(await CodeAsync(() => AddAsync(Slices, ada, group, bob)), Is.Empty);
    }

    [Test]
    public async Task The_day_begins_with_the_leaving_by_the_time_of_the_database_on_a_node_whose_time_is_ahead()
    {
        await using var ahead = await Slices.StartAsync(services => services.AddSingleton<IClock>(
            new FixedTime(SystemClock.Instance.GetCurrentInstant() + Duration.FromMinutes(5))));
        var (ada, bob) = (await ahead.UserAsync(), await ahead.UserAsync());
        await ahead.SendAsync(new LeaveConversation(new Actor(bob), await ahead.GroupAsync(ada, bob)));

        var isRight = await ahead.ScalarAsync<bool>(
            """
            SELECT stays_out_until = left_at + interval '24 hours' AND left_at BETWEEN now() - interval '10 minutes' AND now()
            FROM participants
            WHERE user_id = @Bob
            """,
            new { Bob = bob.Value });
        Assert.That(isRight, Is.True);
    }

    [Test]
    public async Task Who_was_put_out_is_brought_back_at_once()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), group));
        await Slices.SendAsync(new AddParticipants(Actor.Service, group, [bob], null));
        await Slices.SendAsync(new RemoveParticipant(new Actor(ada), group, bob));

        Assert.That(await CodeAsync(() => AddAsync(Slices, ada, group, bob)), Is.Empty);
    }

    private static Task<Slices> StartAsync(DirectMessages policy) =>
        Slices.StartAsync(services => services.AddSingleton(new PolicySettings { DirectMessages = policy }));

    private static async Task BecomeContactsAsync(Slices slices, UserId one, UserId other)
    {
        await slices.SendAsync(new RequestContact(new Actor(one), other));
        await slices.SendAsync(new RequestContact(new Actor(other), one));
    }

    private static Task<Page<ParticipantView>> AddAsync(Slices slices, UserId by, ConversationId id, params UserId[] users) =>
        slices.SendAsync(new AddParticipants(new Actor(by), id, users, null));

    private Task<long> CountAsync(UserId user) =>
        Slices.ScalarAsync<long>("SELECT count(*) FROM participants WHERE user_id = @User AND left_at IS NULL", new { User = user.Value });

    private Task<long> RememberedAsync(ConversationId id) =>
        Slices.ScalarAsync<long>("SELECT count(*) FROM departures WHERE conversation_id = @Id", new { Id = id.Value });

    private sealed class FixedTime(Instant time) : IClock
    {
        public Instant GetCurrentInstant() => time;
    }
}
