using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests;

/// <summary>Whom one may bring into a group: those whom the rule for direct messages lets one write to, and nobody across a block.</summary>
public sealed class GroupAddingTests : SliceFixture
{
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

        Assert.That((made.Code, made.Pointer), Is.EqualTo((ProblemCodes.NotAContact, "#/participantIds/1")));
        Assert.That((added.Code, added.Pointer), Is.EqualTo((ProblemCodes.NotAContact, "#/userIds/1")));
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

        Assert.That((made.Code, made.Pointer), Is.EqualTo((ProblemCodes.Blocked, "#/participantIds/1")));
        Assert.That((added.Code, added.Pointer), Is.EqualTo((ProblemCodes.Blocked, "#/userIds/0")));
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

        Assert.That((again.Code, again.Pointer, both.Pointer), Is.EqualTo((ProblemCodes.NotAllowed, "#/userIds/0", "#/userIds/1")));
        Assert.That((await Slices.ViewAsync(bob, group)).ParticipantCount, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_left_is_brought_back_after_a_day()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new LeaveConversation(new Actor(bob), group));
        await Slices.ExecuteAsync(
            "UPDATE participants SET stays_out_until = stays_out_until - interval '24 hours' WHERE conversation_id = @Id AND user_id = @Bob",
            new { Id = group.Value, Bob = bob.Value });

        Assert.That(await CodeAsync(() => AddAsync(Slices, ada, group, bob)), Is.Empty);
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
        await slices.SendAsync(new AskContact(new Actor(one), other));
        await slices.SendAsync(new AskContact(new Actor(other), one));
    }

    private static Task<Page<ParticipantView>> AddAsync(Slices slices, UserId by, ConversationId id, params UserId[] users) =>
        slices.SendAsync(new AddParticipants(new Actor(by), id, users, null));

    private Task<long> CountAsync(UserId user) =>
        Slices.ScalarAsync<long>("SELECT count(*) FROM participants WHERE user_id = @User AND left_at IS NULL", new { User = user.Value });
}
