using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;

namespace Messaging.Application.Tests.Conversations;

public sealed class GroupTests : SliceFixture
{
    [Test]
    public async Task Its_creator_is_the_owner_and_everybody_has_it_in_the_inbox()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var group = await CreateAsync(ada, [bob], name: "Über uns!", context: new ConversationContext("posting", "7"));

        Assert.That((group.OwnerId, group.Me!.Role, group.ParticipantCount), Is.EqualTo(((UserId?)ada, ParticipantRole.Owner, 2)));
        Assert.That(group.Slug, Does.Match("^ber-uns-[0-9a-f]{12}$"));
        Assert.That(await InboxAsync(bob), Does.Contain(group.Id));
    }

    [Test]
    public async Task A_group_begins_with_a_system_message_that_is_unread_for_nobody()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var group = await CreateAsync(ada, [bob], name: "Fans");

        var first = (await Slices.SendAsync(new ListMessages(new Actor(bob), group.Id, null, null, null, 50))).Items.Single();
        Assert.That((first.Seq, first.Type, first.Sender), Is.EqualTo((1L, MessageType.System, (SenderView?)null)));
        var note = JsonDocument.Parse(first.Metadata!.Value.Value).RootElement.EnumerateObject()
            .ToDictionary(p => p.Name, p => p.Value.GetString());
        Assert.That(
            note, Is.EquivalentTo(
                new Dictionary<string, string> { ["event"] = "conversation-created", ["by"] = ada.Value, ["name"] = "Fans" }));
        Assert.That((group.LastSeq, group.LastMessage!.Id), Is.EqualTo((1L, first.Id)));
        Assert.That((await Slices.ViewAsync(bob, group.Id)).Me!.UnreadCount, Is.Zero);
    }

    [Test]
    public async Task Three_hundred_fit_and_one_more_does_not()
    {
        var users = await Slices.UsersAsync(301);

        var full = await CreateAsync(users[0], [.. users.Skip(1).Take(299)]);

        Assert.That(full.ParticipantCount, Is.EqualTo(300));
        Assert.That(full.Participants, Has.Count.EqualTo(10));
        Assert.That(await RefusalAsync(() => CreateAsync(users[0], [.. users.Skip(1)])), Is.EqualTo(ProblemCodes.GroupFull));
        Assert.That(await RefusalAsync(() => AddAsync(users[0], full.Id, [users[300]])), Is.EqualTo(ProblemCodes.GroupFull));
    }

    [Test]
    public async Task Two_adders_at_once_do_not_pass_the_limit()
    {
        var users = await Slices.UsersAsync(303);
        var group = await CreateAsync(users[0], [.. users.Skip(1).Take(297)]);

        var outcomes = await Task.WhenAll(
            Task.Run(() => CodeAsync(() => AddAsync(users[0], group.Id, [users[300], users[301]]))),
            Task.Run(() => CodeAsync(() => AddAsync(users[0], group.Id, [users[301], users[302]]))));

        Assert.That(outcomes, Is.EquivalentTo(new[] { "", ProblemCodes.GroupFull }));
        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM participants WHERE conversation_id = @Id AND left_at IS NULL", new { Id = group.Id.Value }),
            Is.EqualTo(300));
    }

    [Test]
    public async Task People_are_found_by_role_and_by_a_part_of_their_name_page_by_page()
    {
        var (ada, bob, bea) = (await Slices.UserAsync("Ada_1"), await Slices.UserAsync("Bob"), await Slices.UserAsync("Beatrice"));
        var group = await CreateAsync(ada, [bob, bea]);
        await Slices.SendAsync(new ChangeRole(new Actor(ada), group.Id, bea, ParticipantRole.Admin));

        Assert.That(await FoundAsync(role: ParticipantRole.Admin), Is.EqualTo(new[] { bea }));
        Assert.That(await FoundAsync(name: "b"), Is.EquivalentTo(new[] { bob, bea }));
        Assert.That(await FoundAsync(ParticipantRole.Member, "b"), Is.EqualTo(new[] { bob }));
        Assert.That(await FoundAsync(name: "a_1"), Is.EqualTo(new[] { ada }));
        Assert.That(await FoundAsync(name: "%"), Is.Empty);
        Assert.That(await FoundAsync(), Is.EquivalentTo(new[] { ada, bob, bea }));

        async Task<IReadOnlyList<UserId>> FoundAsync(ParticipantRole? role = null, string? name = null)
        {
            var (found, cursor) = (new List<UserId>(), (string?)null);
            do
            {
                var page = await Slices.SendAsync(new ListParticipants(new Actor(bob), group.Id, role, name, cursor, Limit: 1));
                found.AddRange(page.Items.Select(participant => participant.UserId));
                cursor = page.NextCursor;
            }
            while (cursor is not null);
            return found;
        }
    }

    [Test]
    public async Task Alone_with_strangers_or_twice_the_same_is_refused()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        Assert.That((await ProblemAsync(() => CreateAsync(ada, []))).Member, Is.EqualTo("participantIds"));
        Assert.That((await ProblemAsync(() => CreateAsync(ada, [ada]))).Member, Is.EqualTo("participantIds"));
        Assert.That((await ProblemAsync(() => CreateAsync(ada, [bob, bob]))).Member, Is.EqualTo("participantIds"));
        Assert.That((await ProblemAsync(() => CreateAsync(ada, [bob, new UserId("nobody")]))).Member, Is.EqualTo("participantIds/1"));
    }

    [Test]
    public async Task A_slug_in_use_is_refused_and_finds_its_group_for_those_in_it()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var group = await CreateAsync(ada, [bob], slug: "the-band");

        Assert.That(await RefusalAsync(() => CreateAsync(ada, [bob], slug: "the-band")), Is.EqualTo(ProblemCodes.AlreadyExists));
        Assert.That((await BySlugAsync(bob)).Id, Is.EqualTo(group.Id));
        Assert.That(await RefusalAsync(() => BySlugAsync(eve)), Is.EqualTo(ProblemCodes.NotFound));

        Task<ConversationView> BySlugAsync(UserId user) => Slices.SendAsync(new GetConversationBySlug(new Actor(user), "the-band"));
    }

    [Test]
    public async Task Somebody_added_later_starts_with_nothing_unread_and_finds_it_in_the_inbox()
    {
        var users = await Slices.UsersAsync(3);
        var group = await CreateAsync(users[0], [users[1]]);
        await Slices.TextAsync(users[0], group.Id);

        await AddAsync(users[0], group.Id, [users[2]]);
        var joined = await Slices.ViewAsync(users[2], group.Id);
        await Slices.TextAsync(users[0], group.Id);

        Assert.That((joined.Me!.UnreadCount, joined.ParticipantCount, joined.Version), Is.EqualTo((0L, 3, 2L)));
        Assert.That((await Slices.ViewAsync(users[2], group.Id)).Me!.UnreadCount, Is.EqualTo(1));
        Assert.That(await InboxAsync(users[2]), Does.Contain(group.Id));
    }

    [Test]
    public async Task Adding_somebody_again_changes_nothing_and_members_add_nobody()
    {
        var users = await Slices.UsersAsync(3);
        var group = await CreateAsync(users[0], [users[1]]);

        await AddAsync(users[0], group.Id, [users[1]], ParticipantRole.Admin);

        Assert.That((await Slices.ViewAsync(users[1], group.Id)).Me!.Role, Is.EqualTo(ParticipantRole.Member));
        Assert.That((await Slices.ViewAsync(users[1], group.Id)).Version, Is.EqualTo(1));
        Assert.That(await RefusalAsync(() => AddAsync(users[1], group.Id, [users[2]])), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => AddAsync(users[2], group.Id, [users[2]])), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task Nobody_is_added_to_a_direct_conversation()
    {
        var users = await Slices.UsersAsync(3);
        var id = await Slices.DirectAsync(users[0], users[1]);

        Assert.That(await RefusalAsync(() => AddAsync(users[0], id, [users[2]])), Is.EqualTo(ProblemCodes.DirectIsFixed));
    }

    [Test]
    public async Task Participants_are_listed_page_by_page_to_those_who_take_part()
    {
        var users = await Slices.UsersAsync(5);
        var group = await CreateAsync(users[0], [.. users.Skip(1).Take(3)]);

        var first = await ListAsync(users[1], null);
        var second = await ListAsync(users[1], first.NextCursor);

        Assert.That(first.Items.Concat(second.Items).Select(p => p.UserId), Is.EqualTo(users.Take(4).Order()));
        Assert.That(second.NextCursor, Is.Null);
        Assert.That(await RefusalAsync(() => ListAsync(users[4], null)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await ProblemAsync(() => ListAsync(users[1], "%%%"))).Member, Is.EqualTo("cursor"));
        Assert.That((await ProblemAsync(() => ListAsync(users[1], PageCursor.Encode("\0")))).Member, Is.EqualTo("cursor"));

        Task<Page<ParticipantView>> ListAsync(UserId user, string? cursor) =>
            Slices.SendAsync(new ListParticipants(new Actor(user), group.Id, Role: null, Name: null, cursor, 3));
    }

    [Test]
    public async Task The_service_makes_a_group_without_being_in_it()
    {
        var users = await Slices.UsersAsync(2);

        var group = await Slices.SendAsync(new CreateGroup(Actor.Service, "Support", users, null, null, null, null, null, null));

        Assert.That((group.OwnerId, group.Me, group.ParticipantCount), Is.EqualTo(((UserId?)null, (MembershipView?)null, 2)));
    }

    // null clears (RFC 7396), and a group always has a slug: it is made of the name again.
    [Test]
    public async Task A_slug_that_is_cleared_is_made_of_the_name_and_one_that_is_left_out_stays()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var slug = $"own-{Guid.NewGuid():N}";
        var group = await CreateAsync(ada, [bob], "The Band", slug);

        var renamed = await PatchAsync(name: new("The Choir"), slug: default);
        var cleared = await PatchAsync(name: default, slug: new(null));
        var again = await PatchAsync(name: default, slug: new(null));

        Assert.That((renamed.Slug, again.Slug), Is.EqualTo((slug, cleared.Slug)));
        Assert.That(cleared.Slug, Does.Match("^the-choir-[0-9a-f]{12}$"));
        Assert.That((await CreateAsync(ada, [bob], slug: slug)).Slug, Is.EqualTo(slug));

        Task<ConversationView> PatchAsync(Optional<string> name, Optional<string> slug) => Slices.SendAsync(
            new UpdateConversation(new Actor(ada), group.Id, null, name, default, default, slug, default, default));
    }

    private Task<ConversationView> CreateAsync(
        UserId owner, IReadOnlyList<UserId> others, string name = "Group", string? slug = null, ConversationContext? context = null) =>
        Slices.SendAsync(new CreateGroup(new Actor(owner), name, others, null, null, slug, context, null, null));

    private Task<Page<ParticipantView>> AddAsync(UserId by, ConversationId id, IReadOnlyList<UserId> users, ParticipantRole? role = null) =>
        Slices.SendAsync(new AddParticipants(new Actor(by), id, users, role));

    private async Task<IEnumerable<ConversationId>> InboxAsync(UserId user) =>
        (await Slices.SendAsync(new ListInbox(new Actor(user), InboxFilter.All, null, null, null, null, 30))).Items.Select(c => c.Id);
}
