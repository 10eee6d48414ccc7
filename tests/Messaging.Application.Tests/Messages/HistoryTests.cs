using System.Collections.Concurrent;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Messages;

public sealed class HistoryTests : SliceFixture
{
    [TestCase(null, null, null, 91L, 100L, 91L, null, TestName = "The_newest_page")]
    [TestCase(91L, null, null, 81L, 90L, 81L, 90L, TestName = "The_page_before")]
    [TestCase(5L, null, null, 1L, 4L, null, 4L, TestName = "The_first_page_is_short")]
    [TestCase(null, 0L, null, 1L, 10L, null, 10L, TestName = "After_zero_is_the_beginning")]
    [TestCase(null, 95L, null, 96L, 100L, 96L, null, TestName = "After_ends_at_the_newest")]
    [TestCase(null, null, 50L, 46L, 55L, 46L, 55L, TestName = "Around_the_middle")]
    [TestCase(null, null, 2L, 1L, 10L, null, 10L, TestName = "Around_the_beginning_is_full")]
    [TestCase(null, null, 100L, 91L, 100L, 91L, null, TestName = "Around_the_newest_is_full")]
    [TestCase(1000L, null, null, 91L, 100L, 91L, null, TestName = "Beyond_the_newest_reads_up_to_it")]
    public async Task Pages(long? before, long? after, long? around, long first, long last, long? nextBefore, long? nextAfter)
    {
        var (ada, id) = await HundredAsync();

        var page = await PageAsync(ada, id, before, after, around);

        Assert.That(page.Items.Select(m => m.Seq), Is.EqualTo(Range(first, last)));
        Assert.That((page.Before, page.After), Is.EqualTo((nextBefore, nextAfter)));
    }

    [Test]
    public async Task Pages_concatenate_to_the_history_while_messages_are_inserted()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var sent = new ConcurrentDictionary<long, string>();
        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var message = await Slices.TextAsync(writer % 2 == 0 ? ada : bob, id, $"{writer}:{i}");
                sent[message.Seq] = message.Text!;
            }
        })));

        // Forwards behind the writers until they are done and everything is read.
        var read = new List<MessageView>();
        while (!writing.IsCompleted || read.Count < 400)
            read.AddRange((await PageAsync(bob, id, after: read.Count, limit: 7)).Items);
        // And backwards from the end.
        var back = new List<MessageView>();
        for (long? before = 401; before is not null; before = back[0].Seq > 1 ? back[0].Seq : null)
            back.InsertRange(0, (await PageAsync(bob, id, before: before, limit: 7)).Items);
        await writing;

        Assert.That(read.Select(m => m.Seq), Is.EqualTo(Range(1, 400)));
        Assert.That(read.Select(m => m.Text), Is.EqualTo(sent.OrderBy(m => m.Key).Select(m => m.Value)));
        Assert.That(back.Select(m => m.Id), Is.EqualTo(read.Select(m => m.Id)));
    }

    [Test]
    public async Task A_stranger_sees_no_history_and_the_service_sees_it_all()
    {
        var (ada, id) = await HundredAsync();
        var eve = await Slices.UserAsync();

        Assert.That(await RefusalAsync(() => PageAsync(eve, id)), Is.EqualTo(ProblemCodes.NotFound));
        var first = (await PageAsync(ada, id)).Items[0];
        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new GetMessage(new Actor(eve), id, first.Id))), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(
            (await Slices.SendAsync(new ListMessages(Actor.Service, id, null, null, null, 100))).Items, Has.Count.EqualTo(100));
    }

    [Test]
    public async Task Two_of_before_after_and_around_are_refused()
    {
        var (ada, id) = await HundredAsync();

        Assert.That((await ProblemAsync(() => PageAsync(ada, id, before: 1, after: 1))).Member, Is.EqualTo("after"));
        Assert.That((await ProblemAsync(() => PageAsync(ada, id, before: 1, around: 1))).Member, Is.EqualTo("around"));
        Assert.That((await ProblemAsync(() => PageAsync(ada, id, limit: 101))).Member, Is.EqualTo("limit"));
    }

    [Test]
    public async Task An_empty_conversation_has_an_empty_page()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var page = await PageAsync(ada, await Slices.DirectAsync(ada, bob));

        Assert.That((page.Items.Count, page.Before, page.After), Is.EqualTo((0, (long?)null, (long?)null)));
    }

    [Test]
    public async Task Counts_follow_the_recipients_pointers()
    {
        var users = await Slices.UsersAsync(4);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        var first = await Slices.TextAsync(users[0], id);
        await Slices.TextAsync(users[1], id);
        await Slices.SendAsync(new Application.Receipts.MarkRead(new Actor(users[2]), id, first.Seq));

        var page = await PageAsync(users[0], id);

        Assert.That(page.Items.Skip(1).Select(m => (m.RecipientCount, m.ReadCount)), Is.EqualTo(new[] { (3, 2), (3, 0) }));
    }

    private async Task<(UserId Ada, ConversationId Id)> HundredAsync()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        for (var i = 1; i <= 100; i++)
            await Slices.TextAsync(ada, id, $"message {i}");
        return (ada, id);
    }

    private Task<MessagePage> PageAsync(
        UserId user, ConversationId id, long? before = null, long? after = null, long? around = null, int limit = 10) =>
        Slices.SendAsync(new ListMessages(new Actor(user), id, before, after, around, limit));

    private static IEnumerable<long> Range(long first, long last) =>
        Enumerable.Range((int)first, (int)(last - first + 1)).Select(n => (long)n);
}
