using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Tests.Messages;

public sealed class ReplyTests : SliceFixture
{
    [Test]
    public async Task Replies_come_oldest_first_in_pages_also_to_a_message_that_is_deleted()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var first = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        for (var i = 0; i < 5; i++)
        {
            await ReplyAsync(bob, first);
            await Slices.TextAsync(ada, first.ConversationId);
        }

        await Slices.SendAsync(new DeleteMessage(new Actor(ada), first.ConversationId, first.Id, DeleteScope.Everyone, null, null));
        var pages = new List<IReadOnlyList<MessageView>>();
        string? cursor = null;
        do
        {
            var page = await Slices.SendAsync(new ListReplies(new Actor(ada), first.ConversationId, first.Id, cursor, 2));
            pages.Add(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(pages.SelectMany(page => page).Select(reply => reply.Seq), Is.EqualTo(new[] { 2L, 4, 6, 8, 10 }));
        Assert.That(pages[0][0].ReplyTo, Is.EqualTo(new ReplyView(first.Id, 1, ada, null, Deleted: true)));
    }

    [Test]
    public async Task A_listed_reply_is_as_the_history_shows_it()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var first = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        var reply = await ReplyAsync(bob, first);
        await Slices.SendAsync(new React(new Actor(ada), first.ConversationId, reply.Id, "👍"));
        await Slices.SendAsync(new PinMessage(new Actor(ada), first.ConversationId, reply.Id));
        await Slices.SendAsync(new Application.Receipts.MarkRead(new Actor(ada), first.ConversationId, null));

        var listed = (await Slices.SendAsync(new ListReplies(new Actor(ada), first.ConversationId, first.Id, null, 30))).Items.Single();
        var shown = await Slices.SendAsync(new GetMessage(new Actor(ada), first.ConversationId, reply.Id));

        Assert.That(Json(listed), Is.EqualTo(Json(shown)));
        Assert.That((shown.ReadCount, shown.Pinned, shown.Reactions.Count), Is.EqualTo((1, true, 1)));

        static string Json(MessageView view) => System.Text.Json.JsonSerializer.Serialize(view, Application.Common.MessagingJson.Options);
    }

    [Test]
    public async Task Replies_cleared_or_deleted_for_oneself_are_not_listed()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var first = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        var (one, two) = (await ReplyAsync(bob, first), await ReplyAsync(ada, first));

        await Slices.SendAsync(new DeleteMessage(new Actor(ada), first.ConversationId, one.Id, DeleteScope.Me, null, null));
        Assert.That(await SeqsAsync(ada), Is.EqualTo(new[] { two.Seq }));
        Assert.That(await SeqsAsync(bob), Is.EqualTo(new[] { one.Seq, two.Seq }));
        await Slices.SendAsync(new ClearHistory(new Actor(ada), first.ConversationId, LeavesInbox: false));
        Assert.That(await RefusalAsync(() => SeqsAsync(ada)), Is.EqualTo(ProblemCodes.NotFound));

        async Task<IEnumerable<long>> SeqsAsync(UserId viewer) =>
            (await Slices.SendAsync(new ListReplies(new Actor(viewer), first.ConversationId, first.Id, null, 30))).Items.Select(
                reply => reply.Seq);
    }

    private async Task<MessageView> ReplyAsync(UserId sender, MessageView message) =>
        (await Slices.SendAsync(
            new SendMessage(new Actor(sender), message.ConversationId, new MessageContent(Text: "re", ReplyToId: message.Id)))).Message;
}
