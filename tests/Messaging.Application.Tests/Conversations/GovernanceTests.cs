using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Messaging.Application.Tests.Conversations;

/// <summary>Groups that govern themselves: roles, leaving, removing, bans, rules, closing, archiving, deleting.</summary>
public sealed class GovernanceTests : SliceFixture
{
    [Test]
    public async Task Whoever_leaves_sees_nothing_more_and_can_be_let_in_again_with_nothing_unread()
    {
        var (users, id) = await GroupAsync(3);

        await LeaveAsync(users[1], id);
        await Slices.TextAsync(users[0], id);

        Assert.That(await RefusalAsync(() => Slices.ViewAsync(users[1], id)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(users[1], id)), Is.EqualTo(ProblemCodes.NotFound));
        await Slices.SendAsync(new AddParticipants(Actor.Service, id, [users[1]], Role: null));
        Assert.That((await Slices.ViewAsync(users[1], id)).Me!.UnreadCount, Is.Zero);
        Assert.That((await HistoryAsync(users[1], id)).Select(m => m.Seq), Does.Contain(1L));
    }

    [Test]
    public async Task An_owner_who_leaves_is_followed_by_the_first_admin_else_by_the_longest_member()
    {
        var (users, id) = await GroupAsync(3);
        await ChangeRoleAsync(users[0], id, users[2], ParticipantRole.Admin);

        await LeaveAsync(users[0], id);
        var second = await Slices.ViewAsync(users[2], id);
        await LeaveAsync(users[2], id);
        var third = await Slices.ViewAsync(users[1], id);

        Assert.That((second.OwnerId, second.Me!.Role), Is.EqualTo(((UserId?)users[2], ParticipantRole.Owner)));
        Assert.That((third.OwnerId, third.Me!.Role, third.ParticipantCount), Is.EqualTo(((UserId?)users[1], ParticipantRole.Owner, 1)));
    }

    [Test]
    public async Task The_last_one_out_ends_the_group()
    {
        var (users, id) = await GroupAsync(2);

        await LeaveAsync(users[0], id);
        await LeaveAsync(users[1], id);

        var ended = await Slices.SendAsync(new GetConversation(Actor.Service, id));
        Assert.That((ended.Closed!.Reason, ended.ParticipantCount, ended.OwnerId), Is.EqualTo(("empty", 0, (UserId?)null)));
    }

    [Test]
    public async Task Everybody_leaving_at_once_leaves_it_ended_and_each_of_them_left_once()
    {
        var (users, id) = await GroupAsync(8);

        var outcomes = await Task.WhenAll(users.Concat(users).Select(user => Task.Run(() => CodeAsync(() => LeaveAsync(user, id)))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(8));
        Assert.That(outcomes.Where(code => code.Length > 0), Has.All.EqualTo(ProblemCodes.NotFound));
        Assert.That((await Slices.SendAsync(new GetConversation(Actor.Service, id))).Closed!.Reason, Is.EqualTo("empty"));
    }

    [Test]
    public async Task Admins_put_members_out_but_not_the_owner_and_members_nobody()
    {
        var (users, id) = await GroupAsync(4);
        await ChangeRoleAsync(users[0], id, users[1], ParticipantRole.Admin);

        Assert.That(await RefusalAsync(() => RemoveAsync(users[1], id, users[0])), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => RemoveAsync(users[2], id, users[3])), Is.EqualTo(ProblemCodes.NotAllowed));
        await RemoveAsync(users[1], id, users[2]);
        await RemoveAsync(users[3], id, users[3]);
        Assert.That((await Slices.ViewAsync(users[0], id)).ParticipantCount, Is.EqualTo(2));
        Assert.That(await RefusalAsync(() => RemoveAsync(users[0], id, users[2])), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task The_only_owner_is_not_demoted_and_hands_the_group_over()
    {
        var (users, id) = await GroupAsync(3);

        Assert.That(
            await RefusalAsync(() => ChangeRoleAsync(users[0], id, users[0], ParticipantRole.Member)), Is.EqualTo(ProblemCodes.LastOwner));
        Assert.That(await RefusalAsync(() => HandOverAsync(users[1], id, users[1])), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await ProblemAsync(() => HandOverAsync(users[0], id, new UserId("stranger")))).Member, Is.EqualTo("userId"));
        Assert.That((await HandOverAsync(users[0], id, users[1])).OwnerId, Is.EqualTo(users[1]));
        Assert.That((await Slices.ViewAsync(users[0], id)).Me!.Role, Is.EqualTo(ParticipantRole.Admin));
    }

    [Test]
    public async Task Handing_over_to_two_at_once_leaves_one_owner()
    {
        var (users, id) = await GroupAsync(3);

        await Task.WhenAll(users.Skip(1).Select(user => Task.Run(() => CodeAsync(() => HandOverAsync(users[0], id, user)))));

        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM participants p JOIN conversations c ON c.id = p.conversation_id WHERE c.id = @Id "
                    + "AND (p.role = 'owner' OR p.user_id = c.owner_id)",
                new { Id = id.Value }),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Who_is_banned_is_out_and_stays_out_until_the_ban_is_lifted()
    {
        var (users, id) = await GroupAsync(3);

        var ban = await BanAsync(users[0], id, users[1]);

        Assert.That((ban.Created, ban.Ban.User.UserId, ban.Ban.By!.UserId), Is.EqualTo((true, users[1], users[0])));
        Assert.That((await BanAsync(users[0], id, users[1])).Created, Is.False);
        Assert.That((await ProblemAsync(() => AddAsync(users[0], id, users[1]))).Code, Is.EqualTo(ProblemCodes.Banned));
        Assert.That(await RefusalAsync(() => BansAsync(users[2], id)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await BansAsync(users[0], id)).Items.Single().User.UserId, Is.EqualTo(users[1]));
        await Slices.SendAsync(new UnbanParticipant(new Actor(users[0]), id, users[1]));
        await AddAsync(users[0], id, users[1]);
        Assert.That((await Slices.ViewAsync(users[1], id)).ParticipantCount, Is.EqualTo(3));
    }

    [Test]
    public async Task Nothing_is_stored_of_a_banned_one_after_the_ban_was_answered()
    {
        var (users, id) = await GroupAsync(2);
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await CodeAsync(() => Slices.TextAsync(users[1], id));
        })));
        while ((await Slices.ViewAsync(users[0], id)).LastSeq < 10)
            await Task.Yield();

        await BanAsync(users[0], id, users[1]);
        var last = (await Slices.ViewAsync(users[0], id)).LastSeq;
        for (var i = 0; i < 20; i++)
            await Slices.ViewAsync(users[0], id);
        await stop.CancelAsync();
        await sending;

        Assert.That((await Slices.ViewAsync(users[0], id)).LastSeq, Is.EqualTo(last));
    }

    [Test]
    public async Task System_messages_tell_of_every_change_among_the_participants()
    {
        var (users, id) = await GroupAsync(3);
        var late = await Slices.UserAsync();

        await AddAsync(users[0], id, late);
        await ChangeRoleAsync(users[0], id, late, ParticipantRole.Admin);
        await RemoveAsync(late, id, users[1]);
        await LeaveAsync(users[2], id);
        await HandOverAsync(users[0], id, late);

        Assert.That(
            (await HistoryAsync(users[0], id)).Select(
                m => System.Text.Json.JsonDocument.Parse(m.Metadata!.Value.Value).RootElement.GetProperty("event").GetString()),
            Is.EqualTo(new[] { "conversation-created", "user-joined", "role-changed", "user-removed", "user-left", "owner-changed" }));
        Assert.That((await Slices.ViewAsync(late, id)).Me!.UnreadCount, Is.Zero);
    }

    [Test]
    public async Task Who_joins_where_history_is_since_joining_sees_what_comes_after_alone()
    {
        var (users, id) = await GroupAsync(2, new PolicyChange { History = new(HistoryAccess.SinceJoin) });
        var said = await Slices.TextAsync(users[0], id, "before");
        var late = await Slices.UserAsync();

        await AddAsync(users[0], id, late);
        await Slices.SendAsync(new SendMessage(new Actor(users[0]), id, new MessageContent(Text: "after", ReplyToId: said.Id)));

        var seen = await HistoryAsync(late, id);
        Assert.That(seen.Select(m => m.Text), Is.EqualTo(new[] { null, "after" }));
        Assert.That(seen[1].ReplyTo, Is.Null);
        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new GetMessage(new Actor(late), id, said.Id))), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await HistoryAsync(users[1], id))[^1].ReplyTo!.Preview, Is.EqualTo("before"));
    }

    [Test]
    public async Task Of_many_simultaneous_messages_in_slow_mode_one_is_sent()
    {
        var (users, id) = await GroupAsync(2, new PolicyChange { SlowModeSeconds = new(60) });

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => Task.Run(() => CodeAsync(() => Slices.TextAsync(users[1], id)))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(1));
        Assert.That(outcomes.Where(code => code.Length > 0), Has.All.EqualTo(ProblemCodes.RateLimited));
        Assert.That(await CodeAsync(() => Slices.TextAsync(users[0], id)), Is.Empty);
    }

    [Test]
    public async Task Slow_mode_holds_on_a_node_whose_time_is_ahead()
    {
        await using var ahead = await Testing.Slices.StartAsync(services => services.AddSingleton<IClock>(
            new DatabaseClock(
                () => throw new InvalidOperationException("It is not asked."), new HourAhead(), NullLogger<DatabaseClock>.Instance)));
        var (ada, bob) = (await ahead.UserAsync(), await ahead.UserAsync());
        var id = await ahead.GroupAsync(ada, bob);
        await ahead.ExecuteAsync(
            "UPDATE conversations SET policy = '{\"slowModeSeconds\": 1800}', last_event_at = now(), last_activity_at = now()");
        await ahead.TextAsync(bob, id);

        Assert.That(await RefusalAsync(() => ahead.TextAsync(bob, id)), Is.EqualTo(ProblemCodes.RateLimited));
    }

    [Test]
    public async Task A_group_changes_what_it_says_and_a_cleared_rule_goes_back_to_the_configured_one()
    {
        var (users, id) = await GroupAsync(2, new PolicyChange { Posting = new(AllowedTo.Admins) });

        var renamed = await UpdateAsync(
            users[0], id, name: new("New name"), policy: new(new PolicyChange { Posting = new((AllowedTo?)null), Receipts = new(false) }));

        Assert.That((renamed.Name, renamed.Policy.Posting, renamed.Policy.Receipts), Is.EqualTo(("New name", AllowedTo.Everyone, false)));
        Assert.That(renamed.Participants.Select(p => p.LastReadSeq), Has.All.Null);
        Assert.That(await RefusalAsync(() => UpdateAsync(users[1], id, name: new("Mine"))), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => UpdateAsync(users[0], id, name: new("Late"), versions: [1])),
            Is.EqualTo(ProblemCodes.VersionMismatch));
    }

    [Test]
    public async Task A_slug_that_was_given_up_is_free_and_one_in_use_is_refused()
    {
        var (users, one) = await GroupAsync(2);
        var two = await Slices.GroupAsync(users[0], [users[1]]);
        await UpdateAsync(users[0], one, slug: new("the-slug"));

        Assert.That(await RefusalAsync(() => UpdateAsync(users[0], two, slug: new("the-slug"))), Is.EqualTo(ProblemCodes.AlreadyExists));
        await UpdateAsync(users[0], one, slug: new(null));
        Assert.That((await UpdateAsync(users[0], two, slug: new("the-slug"))).Slug, Is.EqualTo("the-slug"));
    }

    [Test]
    public async Task A_closed_conversation_is_read_only_until_it_is_reopened()
    {
        var (users, id) = await GroupAsync(2);

        var closed = await CloseAsync(users[0], id);

        Assert.That((closed.Closed!.Reason, closed.Closed.By, closed.Closed.Note), Is.EqualTo(("completed", (UserId?)users[0], "done")));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(users[1], id)), Is.EqualTo(ProblemCodes.ConversationClosed));
        Assert.That(await RefusalAsync(() => CloseAsync(users[0], id)), Is.EqualTo(ProblemCodes.ConversationClosed));
        Assert.That(await RefusalAsync(() => Slices.SendAsync(new ReopenConversation(new Actor(users[1]), id))),
            Is.EqualTo(ProblemCodes.NotAllowed));
        await Slices.SendAsync(new ReopenConversation(new Actor(users[0]), id));
        Assert.That(await CodeAsync(() => Slices.TextAsync(users[1], id)), Is.Empty);
    }

    [Test]
    public async Task Either_of_two_closes_a_direct_conversation_and_only_the_service_archives_it()
    {
        var users = await Slices.UsersAsync(2);
        var id = await Slices.DirectAsync(users[0], users[1]);

        Assert.That((await CloseAsync(users[1], id)).Closed!.By, Is.EqualTo(users[1]));
        Assert.That(await RefusalAsync(() => ArchiveAsync(new Actor(users[0]), id, true)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await ArchiveAsync(Actor.Service, id, true)).Archived, Is.True);
        Assert.That(await RefusalAsync(() => LeaveAsync(users[0], id)), Is.EqualTo(ProblemCodes.DirectIsFixed));
    }

    [Test]
    public async Task A_conversation_archived_for_all_is_listed_as_archived_for_everyone()
    {
        var (users, id) = await GroupAsync(2);

        await ArchiveAsync(new Actor(users[0]), id, true);

        Assert.That(await InboxAsync(users[1], InboxFilter.All), Does.Not.Contain(id));
        Assert.That(await InboxAsync(users[1], InboxFilter.Archived), Does.Contain(id));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(users[1], id)), Is.EqualTo(ProblemCodes.ConversationArchived));
        await ArchiveAsync(new Actor(users[0]), id, false);
        Assert.That(await InboxAsync(users[1], InboxFilter.All), Does.Contain(id));
    }

    [Test]
    public async Task A_deleted_conversation_is_gone_for_all_and_its_pair_can_begin_another()
    {
        var users = await Slices.UsersAsync(2);
        var direct = await Slices.DirectAsync(users[0], users[1]);
        await Slices.TextAsync(users[0], direct);

        Assert.That(await RefusalAsync(() => DeleteAsync(new Actor(users[0]), direct)), Is.EqualTo(ProblemCodes.NotAllowed));
        await DeleteAsync(Actor.Service, direct);

        Assert.That(await RefusalAsync(() => Slices.ViewAsync(users[0], direct)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new GetConversation(Actor.Service, direct))), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await Slices.DirectAsync(users[1], users[0]), Is.Not.EqualTo(direct));
    }

    [Test]
    public async Task A_group_that_everybody_has_left_can_be_deleted()
    {
        var users = await Slices.UsersAsync(2);
        var group = await Slices.GroupAsync(users[0], users[1]);
        foreach (var user in users)
            await Slices.SendAsync(new LeaveConversation(new Actor(user), group));

        await DeleteAsync(Actor.Service, group);

        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new GetConversation(Actor.Service, group))), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task The_service_finds_the_conversations_of_a_context_and_the_quiet_ones_among_them()
    {
        var users = await Slices.UsersAsync(3);
        var shipment = new ConversationContext("shipment", Guid.NewGuid().ToString());
        var opened = (await Slices.SendAsync(new OpenDirect(new Actor(users[0]), users[1], shipment, Message: null))).Value.Id;
        await Slices.ExecuteAsync(
            "UPDATE conversations SET last_activity_at = now() - interval '31 days' WHERE id = @Id", new { Id = opened.Value });

        var found = await Slices.SendAsync(new ListByContext(Actor.Service, shipment, Cursor: null, Limit: 10));
        var since = NodaTime.SystemClock.Instance.GetCurrentInstant() - NodaTime.Duration.FromDays(30);
        await Slices.SendAsync(new CloseConversation(Actor.Service, opened, CloseReason.Inactive, Note: null, QuietSince: since));

        Assert.That(found.Items.Select(c => c.Id), Is.EqualTo(new[] { opened }));
        Assert.That((await Slices.ViewAsync(users[0], opened)).Closed!.Reason, Is.EqualTo("inactive"));
    }

    private async Task<(IReadOnlyList<UserId> Users, ConversationId Id)> GroupAsync(int size, PolicyChange? policy = null)
    {
        var users = await Slices.UsersAsync(size);
        var group = await Slices.SendAsync(
            new CreateGroup(new Actor(users[0]), "Group", [.. users.Skip(1)], null, null, null, null, null, policy));
        return (users, group.Id);
    }

    private Task<Done> LeaveAsync(UserId user, ConversationId id) => Slices.SendAsync(new LeaveConversation(new Actor(user), id));

    private Task<Done> RemoveAsync(UserId by, ConversationId id, UserId user) =>
        Slices.SendAsync(new RemoveParticipant(new Actor(by), id, user));

    private Task<Page<ParticipantView>> AddAsync(UserId by, ConversationId id, UserId user) =>
        Slices.SendAsync(new AddParticipants(new Actor(by), id, [user], Role: null));

    private Task<ParticipantView> ChangeRoleAsync(UserId by, ConversationId id, UserId user, ParticipantRole role) =>
        Slices.SendAsync(new ChangeRole(new Actor(by), id, user, role));

    private Task<ConversationView> HandOverAsync(UserId by, ConversationId id, UserId user) =>
        Slices.SendAsync(new HandOverGroup(new Actor(by), id, user));

    private Task<BannedParticipant> BanAsync(UserId by, ConversationId id, UserId user) =>
        Slices.SendAsync(new BanParticipant(new Actor(by), id, user));

    private Task<Page<BanView>> BansAsync(UserId by, ConversationId id) =>
        Slices.SendAsync(new ListBans(new Actor(by), id, Cursor: null, Limit: 10));

    private Task<ConversationView> CloseAsync(UserId by, ConversationId id) =>
        Slices.SendAsync(new CloseConversation(new Actor(by), id, CloseReason.Completed, "done"));

    private Task<ConversationView> ArchiveAsync(Actor by, ConversationId id, bool archived) =>
        Slices.SendAsync(new ArchiveConversation(by, id, archived));

    private Task<Done> DeleteAsync(Actor by, ConversationId id) => Slices.SendAsync(new DeleteConversation(by, id));

    private Task<ConversationView> UpdateAsync(
        UserId by, ConversationId id, Optional<string> name = default, Optional<string> slug = default,
        Optional<PolicyChange> policy = default,
        IReadOnlyList<long>? versions = null) =>
        Slices.SendAsync(new UpdateConversation(new Actor(by), id, versions, name, default, default, slug, default, policy));

    private async Task<IReadOnlyList<MessageView>> HistoryAsync(UserId user, ConversationId id) =>
        (await Slices.SendAsync(new ListMessages(new Actor(user), id, null, null, null, 100))).Items;

    private async Task<IEnumerable<ConversationId>> InboxAsync(UserId user, InboxFilter filter) =>
        (await Slices.SendAsync(new ListInbox(new Actor(user), filter, null, null, null, null, 30))).Items.Select(c => c.Id);

    private sealed class HourAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddHours(1);
    }
}
