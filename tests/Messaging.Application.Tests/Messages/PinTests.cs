using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Tests.Messages;

public sealed class PinTests : SliceFixture
{
    [Test]
    public async Task A_pin_is_put_once_shown_listed_and_taken_away()
    {
        var (users, messages) = await GroupAsync(messages: 2);

        var put = await PinAsync(users[0], messages[0]);
        var again = await PinAsync(users[0], messages[0]);
        await PinAsync(users[0], messages[1]);

        Assert.That((put.Created, again.Created, again.Value.PinnedBy, again.Value.PinnedAt),
            Is.EqualTo((true, false, (UserId?)users[0], put.Value.PinnedAt)));
        Assert.That(await ListAsync(users[1], messages[0].ConversationId), Is.EqualTo(new[] { messages[1].Id, messages[0].Id }));
        Assert.That(await PinnedAsync(users[1], messages[0].ConversationId), Is.EqualTo(new[] { messages[0].Seq, messages[1].Seq }));
        await UnpinAsync(users[0], messages[0]);
        await UnpinAsync(users[0], messages[0]);
        Assert.That(await PinnedAsync(users[1], messages[0].ConversationId), Is.EqualTo(new[] { messages[1].Seq }));
        Assert.That(await EventsAsync(messages[0]), Is.EqualTo(new[] { "2 true", "3 true", "2 false" }));
    }

    [Test]
    public async Task Admins_pin_or_all_by_policy_and_both_of_a_direct_conversation()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        Assert.That(await RefusalAsync(() => PinAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => UnpinAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.NotAllowed));

        var (all, open) = await GroupAsync(messages: 1, new PolicyChange { Pinning = new(AllowedTo.Everyone) });
        Assert.That((await PinAsync(all[1], open[0])).Created, Is.True);
        var direct = await Slices.TextAsync(users[0], await Slices.DirectAsync(users[0], users[1]));
        Assert.That((await PinAsync(users[1], direct)).Created, Is.True);
    }

    [Test]
    public async Task A_deleted_message_is_unpinned_and_one_deleted_for_oneself_is_not_listed()
    {
        var (users, messages) = await GroupAsync(messages: 2);
        await PinAsync(users[0], messages[0]);
        await PinAsync(users[0], messages[1]);

        await Slices.SendAsync(
            new DeleteMessage(new Actor(users[0]), messages[0].ConversationId, messages[0].Id, DeleteScope.Everyone, null, null));
        await Slices.SendAsync(
            new DeleteMessage(new Actor(users[1]), messages[1].ConversationId, messages[1].Id, DeleteScope.Me, null, null));

        Assert.That(await ListAsync(users[0], messages[0].ConversationId), Is.EqualTo(new[] { messages[1].Id }));
        Assert.That(await ListAsync(users[1], messages[0].ConversationId), Is.Empty);
        Assert.That(await RefusalAsync(() => PinAsync(users[0], messages[0])), Is.EqualTo(ProblemCodes.MessageDeleted));
    }

    [Test]
    public async Task Twenty_at_once_are_one()
    {
        var (users, messages) = await GroupAsync(messages: 1);

        var puts = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => PinAsync(users[0], messages[0]))));

        Assert.That(puts.Count(put => put.Created), Is.EqualTo(1));
        Assert.That(await EventsAsync(messages[0]), Is.EqualTo(new[] { "2 true" }));
    }

    [Test]
    public async Task A_conversation_takes_a_hundred_also_from_two_at_once()
    {
        var (users, messages) = await GroupAsync(messages: 104);
        foreach (var message in messages.Take(98))
            await PinAsync(users[0], message);

        var outcomes = await Task.WhenAll(
            messages.Skip(98).Select(message => Task.Run(() => CodeAsync(() => PinAsync(users[0], message)))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(2));
        Assert.That(outcomes.Count(code => code == ProblemCodes.LimitReached), Is.EqualTo(4));
    }

    [Test]
    public async Task The_list_comes_in_pages()
    {
        var (users, messages) = await GroupAsync(messages: 5);
        foreach (var message in messages)
            await PinAsync(users[0], message);

        var (seqs, cursor) = (new List<long>(), (string?)null);
        do
        {
            var page = await Slices.SendAsync(new ListPins(new Actor(users[1]), messages[0].ConversationId, cursor, 2));
            seqs.AddRange(page.Items.Select(pin => pin.Message.Seq));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(seqs, Is.EqualTo(messages.Reverse().Select(message => message.Seq)));
        Assert.That(
            await RefusalAsync(
                async () => await Slices.SendAsync(new ListPins(new Actor(await Slices.UserAsync()), messages[0].ConversationId, null, 2))),
            Is.EqualTo(ProblemCodes.NotFound));
    }

    private async Task<(IReadOnlyList<UserId> Users, IReadOnlyList<MessageView> Messages)> GroupAsync(
        int messages, PolicyChange? policy = null)
    {
        var users = await Slices.UsersAsync(2);
        var group = await Slices.SendAsync(new CreateGroup(new Actor(users[0]), "Group", [users[1]], null, null, null, null, null, policy));
        var sent = new List<MessageView>();
        for (var i = 0; i < messages; i++)
            sent.Add(await Slices.TextAsync(users[0], group.Id));
        return (users, sent);
    }

    private Task<Upserted<PinView>> PinAsync(UserId user, MessageView message) =>
        Slices.SendAsync(new PinMessage(new Actor(user), message.ConversationId, message.Id));

    private Task<Application.Common.Done> UnpinAsync(UserId user, MessageView message) =>
        Slices.SendAsync(new UnpinMessage(new Actor(user), message.ConversationId, message.Id));

    private async Task<IEnumerable<MessageId>> ListAsync(UserId viewer, ConversationId id) =>
        (await Slices.SendAsync(new ListPins(new Actor(viewer), id, null, 100))).Items.Select(pin => pin.Message.Id);

    private async Task<IEnumerable<long>> PinnedAsync(UserId viewer, ConversationId id) =>
        (await Slices.SendAsync(new ListMessages(new Actor(viewer), id, null, null, null, 50))).Items.Where(m => m.Pinned)
            .Select(m => m.Seq);

    private Task<List<string>> EventsAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT seq || ' ' || (payload ->> 'pinned') FROM outbox WHERE conversation_id = @Id AND type = 'message:pinned' ORDER BY event_no",
        new { Id = message.ConversationId.Value }, CancellationToken.None));
}
