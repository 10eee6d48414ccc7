using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Writing;

/// <summary>What changes a group and its people, and goes through the one writer as messages do.</summary>
public sealed class GroupChangeTests : SliceFixture
{
    private const string LockPlaceSql =
        "SELECT user_id FROM participants WHERE conversation_id = @Id AND user_id = @User FOR NO KEY UPDATE";

    private const string SomebodyWaits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";

    private static readonly string[] Kinds =
        ["add", "remove", "leave", "ban", "unban", "role", "hand over", "close", "reopen", "archive", "update"];

    private readonly ManualTime time = new();

    [TestCaseSource(nameof(Kinds))]
    public async Task A_change_of_a_held_group_delays_only_itself(string kind)
    {
        var (held, free) = (await GroupAsync(), await GroupAsync());

        var change = await HoldingAsync(held.Id, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, held);
            await Slices.TextAsync(free.Dan, free.Id);
            await ChangeAsync(kind, free);
            Assert.That(waiting.IsCompleted, Is.False);
            return waiting;
        });

        await Assert.ThatAsync(() => change, Throws.Nothing);
    }

    [TestCaseSource(nameof(Kinds))]
    public async Task Whose_change_of_a_group_waits_for_too_long_is_told_to_come_again(string kind)
    {
        var group = await GroupAsync();
        var before = await EventsAsync(group.Id);

        var problem = await HoldingAsync(group.Id, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, group);
            time.Advance(ConversationWriter.MaxWait);
            return await ProblemAsync(() => waiting);
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
        Assert.That(await EventsAsync(group.Id), Is.EqualTo(before));
    }

    // Of two groups: what waited in a batch would be in the way of all others.
    [TestCase("remove", "bob")]
    [TestCase("leave", "bob")]
    [TestCase("ban", "bob")]
    [TestCase("role", "bob")]
    [TestCase("hand over", "bob")]
    [TestCase("owner leaves", "bob")]
    [TestCase("archive", "dan")]
    public async Task Whose_place_is_held_delays_the_changes_of_that_group_alone(string kind, string whose)
    {
        await DelaysItselfAsync(kind, LockPlaceSql, group => new
        {
            Id = group.Id.Value,
            User = (whose == "bob" ? group.Bob : group.Dan).Value,
        });
    }

    [TestCase("leave", "SELECT id FROM users WHERE id = @Bob FOR KEY SHARE")]
    [TestCase("add", "SELECT id FROM users WHERE id = @Eve FOR UPDATE")]
    [TestCase("add", "SELECT pg_advisory_xact_lock(hashtextextended('messaging:adding:' || @Ada || ' ' || (hashtext(@Eve) & 63), 0))")]
    public async Task Who_is_held_beside_the_group_delays_the_changes_of_that_group_alone(string kind, string sql)
    {
        await DelaysItselfAsync(kind, sql, group => new { Ada = group.Ada.Value, Bob = group.Bob.Value, Eve = group.Eve.Value });
    }

    [Test]
    public async Task Of_an_owner_and_the_one_who_follows_who_leave_in_one_batch_the_third_owns_the_group()
    {
        var group = await GroupAsync();

        await InOneBatchAsync(group, () => LeaveAsync(group, group.Ada), () => LeaveAsync(group, group.Bob));

        var view = await Slices.ViewAsync(group.Dan, group.Id);
        Assert.That((view.OwnerId, view.Me!.Role, view.ParticipantCount), Is.EqualTo(((UserId?)group.Dan, ParticipantRole.Owner, 1)));
    }

    [Test]
    public async Task Who_becomes_an_admin_and_then_an_owner_who_leaves_in_one_batch_follows()
    {
        var group = await GroupAsync();

        await InOneBatchAsync(
            group, () => Slices.SendAsync(new ChangeRole(new Actor(group.Ada), group.Id, group.Dan, ParticipantRole.Admin)),
            () => LeaveAsync(group, group.Ada));

        Assert.That((await Slices.ViewAsync(group.Dan, group.Id)).OwnerId, Is.EqualTo(group.Dan));
    }

    [Test]
    public async Task Who_is_handed_a_group_and_leaves_in_one_batch_is_followed_by_the_former_owner()
    {
        var group = await GroupAsync();

        await InOneBatchAsync(
            group, () => Slices.SendAsync(new HandOverGroup(new Actor(group.Ada), group.Id, group.Bob)),
            () => LeaveAsync(group, group.Bob));

        Assert.That((await Slices.ViewAsync(group.Dan, group.Id)).OwnerId, Is.EqualTo(group.Ada));
    }

    [Test]
    public async Task All_who_leave_in_one_batch_end_the_group()
    {
        var group = await GroupAsync();

        await InOneBatchAsync(
            group, [.. new[] { group.Ada, group.Bob, group.Dan }.Select<UserId, Func<Task>>(user => () => LeaveAsync(group, user))]);

        var view = await Slices.SendAsync(new GetConversation(Actor.Service, group.Id));
        Assert.That((view.OwnerId, view.ParticipantCount, view.Closed!.Reason), Is.EqualTo(((UserId?)null, 0, "empty")));
    }

    [Test]
    public async Task Changes_after_leaving_in_the_same_batch_find_nothing()
    {
        var group = await GroupAsync();

        var codes = await InOneBatchAsync(
            group, () => Slices.TextAsync(group.Bob, group.Id), () => LeaveAsync(group, group.Bob),
            () => Slices.TextAsync(group.Bob, group.Id),
            () => LeaveAsync(group, group.Bob), () => Slices.SendAsync(new RemoveParticipant(new Actor(group.Ada), group.Id, group.Bob)));

        Assert.That(codes, Is.EqualTo(new[] { "", "", ProblemCodes.NotFound, ProblemCodes.NotFound, ProblemCodes.NotFound }));
        Assert.That((await Slices.ViewAsync(group.Ada, group.Id)).ParticipantCount, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_is_let_in_and_banned_while_the_group_is_held_for_long_is_out()
    {
        var group = await GroupAsync();

        var codes = await Task.WhenAll(await HoldingAsync(group.Id, LockSql, async () =>
        {
            List<Task<string>> waiting =
            [
                CodeAsync(() => ChangeAsync("add", group)),
                CodeAsync(() => Slices.SendAsync(new BanParticipant(new Actor(group.Ada), group.Id, group.Eve))),
            ];
            await Slices.UntilAsync(SomebodyWaits);
            return waiting;
        }));

        var view = await Slices.ViewAsync(group.Ada, group.Id);
        Assert.That(codes, Is.All.Empty);
        Assert.That((view.ParticipantCount, view.Participants.Any(one => one.UserId == group.Eve)), Is.EqualTo((3, false)));
    }

    [Test]
    public async Task Who_has_left_by_the_time_of_the_answer_is_answered_all_the_same()
    {
        var group = await GroupAsync();
        var (bob, message) = (new Actor(group.Bob), await Slices.TextAsync(group.Bob, group.Id));
        MessageView? edited = null;
        ConversationView? closed = null;
        await Slices.SendAsync(new ChangeRole(new Actor(group.Ada), group.Id, group.Bob, ParticipantRole.Admin));

        var codes = await InOneBatchAsync(
            group,
            async () => edited = await Slices.SendAsync(new EditMessage(bob, group.Id, message.Id, null, new("edited"), default, default)),
            async () => closed = await CloseAsync(group, group.Bob), () => LeaveAsync(group, group.Bob));

        Assert.That(codes, Is.All.Empty);
        Assert.That((edited!.Text, closed!.Closed!.By, closed.Me), Is.EqualTo(("edited", (UserId?)group.Bob, (MembershipView?)null)));
    }

    [Test]
    public async Task Of_bans_that_are_lifted_and_put_again_in_one_batch_the_last_one_stands()
    {
        var group = await GroupAsync();
        var created = new List<bool>();
        async Task BanAsync() =>
            created.Add((await Slices.SendAsync(new BanParticipant(new Actor(group.Ada), group.Id, group.Bob))).Created);
        Task UnbanAsync() => Slices.SendAsync(new UnbanParticipant(new Actor(group.Ada), group.Id, group.Bob));

        await InOneBatchAsync(group, BanAsync, BanAsync, UnbanAsync, BanAsync);

        var bans = await Slices.SendAsync(new ListBans(new Actor(group.Ada), group.Id, null, 10));
        Assert.That(bans.Items.Select(ban => (ban.User.UserId, ban.By!.UserId)), Is.EqualTo(new[] { (group.Bob, group.Ada) }));
        Assert.That(created.Order(), Is.EqualTo(new[] { false, true, true }));
    }

    [Test]
    public async Task A_message_after_the_end_of_a_conversation_in_one_batch_is_refused_and_after_its_opening_it_is_taken()
    {
        var group = await GroupAsync();

        var codes = await InOneBatchAsync(
            group, () => CloseAsync(group), () => Slices.TextAsync(group.Bob, group.Id), () => CloseAsync(group),
            () => Slices.SendAsync(new ReopenConversation(new Actor(group.Ada), group.Id)), () => Slices.TextAsync(group.Bob, group.Id));

        Assert.That(codes, Is.EqualTo(new[] { "", ProblemCodes.ConversationClosed, ProblemCodes.ConversationClosed, "", "" }));
        var view = await Slices.ViewAsync(group.Bob, group.Id);
        Assert.That((view.Closed, view.Version), Is.EqualTo(((ClosedView?)null, 3L)));
    }

    [Test]
    public async Task Changes_of_a_group_in_one_batch_are_told_one_after_the_other()
    {
        var group = await GroupAsync();
        var before = (await EventsAsync(group.Id)).Count;

        await InOneBatchAsync(
            group, () => LeaveAsync(group, group.Ada), () => Slices.TextAsync(group.Bob, group.Id), () => CloseAsync(group, group.Bob));

        Assert.That((await EventsAsync(group.Id)).Skip(before), Is.EqualTo(new[]
        {
            "message:new", "participant:removed", "participant:removed", "message:new", "participant:updated", "conversation:updated",
            "message:new",
            "message:new", "conversation:closed",
        }));
    }

    [Test]
    public async Task Who_comes_and_who_goes_is_told_with_how_many_take_part_after_it()
    {
        var group = await GroupAsync();
        var (ada, bob, dan) = (new Actor(group.Ada), group.Bob, group.Dan);
        await Slices.SendAsync(new AddParticipants(ada, group.Id, [group.Eve, await Slices.UserAsync()], Role: null));
        await InOneBatchAsync(
            group, () => LeaveAsync(group, bob), () => Slices.SendAsync(new RemoveParticipant(ada, group.Id, group.Eve)),
            () => Slices.SendAsync(new BanParticipant(ada, group.Id, dan)));

        var told = await Slices.SqlAsync(session => session.QueryAsync<string>(
            """
            SELECT concat_ws(' ', type, payload ->> 'participantCount', payload ->> 'version')
            FROM outbox
            WHERE conversation_id = @Id AND type LIKE 'participant:%' AND user_id IS NULL
            ORDER BY event_no
            """,
            new { Id = group.Id.Value }, CancellationToken.None));

        Assert.That(told, Is.EqualTo(new[]
        {
            "participant:added 5 2", "participant:added 5 2", "participant:removed 4 3", "participant:removed 3 4",
            "participant:removed 2 5",
        }));
    }

    [Test]
    public async Task Who_is_added_sees_nothing_before_and_the_first_ten_are_told_with_the_newcomer_among_them()
    {
        var group = await GroupAsync();
        await ChangeAsync("add", group);

        var told = await Slices.ScalarAsync<string>(
            """
            SELECT string_agg(p ->> 'userId', ' ' ORDER BY n)
            FROM outbox o, jsonb_array_elements(o.payload -> 'participants') WITH ORDINALITY AS e (p, n)
            WHERE o.conversation_id = @Id AND o.type = 'conversation:created' AND o.user_id = @Eve
            """,
            new { Id = group.Id.Value, Eve = group.Eve.Value });
        var me = (await Slices.ViewAsync(group.Eve, group.Id)).Me!;

        Assert.That(told.Split(' '), Is.EqualTo(new[] { group.Ada, group.Bob, group.Dan, group.Eve }.Order().Select(user => user.Value)));
        Assert.That(me.UnreadCount, Is.Zero);
    }

    [Test]
    public async Task A_slug_that_is_in_use_is_refused_and_leaves_the_group_as_it_was()
    {
        var (group, other) = (await GroupAsync(), await GroupAsync());
        var slug = (await Slices.ViewAsync(other.Ada, other.Id)).Slug!;

        Assert.That(await CodeAsync(() => UpdateAsync(group, slug: new(slug))), Is.EqualTo(ProblemCodes.AlreadyExists));

        Assert.That((await Slices.ViewAsync(group.Ada, group.Id)).Version, Is.EqualTo(1));
    }

    protected override void Add(IServiceCollection services) => services.AddSingleton<TimeProvider>(time);

    private Task ChangeAsync(string kind, Group group)
    {
        var (ada, id, bob) = (new Actor(group.Ada), group.Id, group.Bob);
        return kind switch
        {
            "add" => Slices.SendAsync(new AddParticipants(ada, id, [group.Eve], null)),
            "remove" => Slices.SendAsync(new RemoveParticipant(ada, id, bob)),
            "leave" => LeaveAsync(group, bob),
            "owner leaves" => LeaveAsync(group, group.Ada),
            "ban" => Slices.SendAsync(new BanParticipant(ada, id, bob)),
            "unban" => Slices.SendAsync(new UnbanParticipant(ada, id, bob)),
            "role" => Slices.SendAsync(new ChangeRole(ada, id, bob, ParticipantRole.Admin)),
            "hand over" => Slices.SendAsync(new HandOverGroup(ada, id, bob)),
            "close" => CloseAsync(group),
            "reopen" => Slices.SendAsync(new ReopenConversation(ada, id)),
            "archive" => Slices.SendAsync(new ArchiveConversation(ada, id, Archived: true)),
            "update" => UpdateAsync(group, name: new("New name")),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, message: null),
        };
    }

    private Task<Done> LeaveAsync(Group group, UserId user) => Slices.SendAsync(new LeaveConversation(new Actor(user), group.Id));

    private Task<ConversationView> CloseAsync(Group group, UserId? by = null) =>
        Slices.SendAsync(new CloseConversation(new Actor(by ?? group.Ada), group.Id, CloseReason.Manual, Note: null));

    private Task<ConversationView> UpdateAsync(Group group, Optional<string> name = default, Optional<string> slug = default) =>
        Slices.SendAsync(
        new UpdateConversation(new Actor(group.Ada), group.Id, Versions: null, name, default, default, slug, default, default));

    private async Task DelaysItselfAsync(string kind, string sql, Func<Group, object> parametersOf)
    {
        var (one, other, free) = (await GroupAsync(), await GroupAsync(), await GroupAsync());

        var changes = await HoldingAsync(sql, parametersOf(one), () => HoldingAsync(sql, parametersOf(other), async () =>
        {
            List<Task> waiting = [ChangeAsync(kind, one), ChangeAsync(kind, other)];
            for (var i = 0; i < 5; i++)
                await Slices.TextAsync(free.Bob, free.Id);
            await ChangeAsync(kind, free);
            Assert.That(waiting.Select(change => change.IsCompleted), Is.All.False);
            return waiting;
        }));

        await Assert.ThatAsync(() => Task.WhenAll(changes), Throws.Nothing);
    }

    // The conversation is held until all of them wait for it.
    // All of them are taken by whoever waits for the lock.
    private async Task<string[]> InOneBatchAsync(Group group, params IReadOnlyList<Func<Task>> changes) => await Task.WhenAll(
        await HoldingAsync(group.Id, LockSql, async () =>
        {
            var waiting = changes.Select(CodeAsync).ToList();
            await Slices.UntilAsync(SomebodyWaits);
            return waiting;
        }));

    private async Task<T> HoldingAsync<T>(string sql, object parameters, Func<Task<T>> meanwhile)
    {
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Dapper.SqlMapper.ExecuteAsync(connection, sql, parameters, transaction);
        var result = await meanwhile();
        await transaction.CommitAsync();
        return result;
    }

    private async Task<Group> GroupAsync()
    {
        var (ada, bob, dan) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"), await Slices.UserAsync("dan"));
        return new Group(await Slices.GroupAsync(ada, bob, dan), ada, bob, dan, await Slices.UserAsync("eve"));
    }

    private Task<List<string>> EventsAsync(ConversationId id) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type FROM outbox WHERE conversation_id = @Id AND event_no IS NOT NULL ORDER BY event_no", new { Id = id.Value },
        CancellationToken.None));

    /// <summary>A group that Ada owns, with Bob and Dan; Eve is not in it.</summary>
    private sealed record Group(ConversationId Id, UserId Ada, UserId Bob, UserId Dan, UserId Eve);
}
