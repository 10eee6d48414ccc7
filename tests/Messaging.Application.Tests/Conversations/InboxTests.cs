using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Tests.Conversations;

public sealed class InboxTests : SliceFixture
{
    [Test]
    public async Task The_newest_activity_comes_first_page_by_page_over_many_days()
    {
        var ada = await Slices.UserAsync("ada");
        var ids = new List<ConversationId>();
        for (var i = 0; i < 25; i++)
        {
            ids.Add(await Slices.GroupAsync(ada, await Slices.UserAsync()));
            // Three conversations a day, going back.
            await Slices.ExecuteAsync(
                """
                UPDATE conversations SET last_activity_at = now() - make_interval(days => @Days, secs => @Seconds) WHERE id = @Id;
                UPDATE participants p SET activity_day = (c.last_activity_at AT TIME ZONE 'UTC')::date
                FROM conversations c WHERE c.id = @Id AND p.conversation_id = c.id
                """,
                new { Id = ids[i].Value, Days = i / 3, Seconds = (double)i });
        }

        var read = new List<ConversationId>();
        string? cursor = null;
        do
        {
            var page = await ListAsync(ada, cursor: cursor, limit: 4);
            read.AddRange(page.Items.Select(c => c.Id));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(read, Is.EqualTo(ids));
    }

    [Test]
    public async Task A_message_brings_its_conversation_to_the_top()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var first = await Slices.DirectAsync(ada, bob);
        var second = await Slices.DirectAsync(ada, eve);

        await Slices.TextAsync(bob, first, "hi ada");
        var page = await ListAsync(ada);

        Assert.That(page.Items.Select(c => c.Id), Is.EqualTo(new[] { first, second }));
        Assert.That((page.Items[0].LastMessage!.Text, page.Items[0].Me!.UnreadCount), Is.EqualTo(("hi ada", 1L)));
        Assert.That(page.Items[0].Participants.Select(p => p.UserId), Is.EquivalentTo(new[] { ada, bob }));
    }

    [Test]
    public async Task Filters_narrow_it_and_archived_ones_are_left_out()
    {
        var ada = await Slices.UserAsync("ada");
        var (bob, grace) = (await Slices.UserAsync("bob"), await Slices.UserAsync("Grace Hopper"));
        var direct = await Slices.DirectAsync(ada, grace);
        var posting =
            (await Slices.SendAsync(new OpenDirect(new Actor(ada), bob, new ConversationContext("posting", "a:7"), null))).Value.Id;
        var group = (await Slices.SendAsync(new CreateGroup(new Actor(ada), "100% _fun_", [bob], null, null, null, null, null, null))).Id;
        var archived = await Slices.GroupAsync(ada, bob);
        await Slices.TextAsync(bob, group);
        await Slices.ExecuteAsync("UPDATE conversations SET archived_at = now() WHERE id = @Id", new { Id = archived.Value });

        Assert.That(await IdsAsync(ada), Is.EquivalentTo(new[] { direct, posting, group }));
        Assert.That(await IdsAsync(ada, filter: InboxFilter.Unread), Is.EqualTo(new[] { group }));
        Assert.That(await IdsAsync(ada, type: ConversationType.Group), Is.EqualTo(new[] { group }));
        Assert.That(await IdsAsync(ada, context: ContextRules.Parse("posting:a:7")), Is.EqualTo(new[] { posting }));
        Assert.That(await IdsAsync(ada, q: "hopper"), Is.EqualTo(new[] { direct }));
        Assert.That(await IdsAsync(ada, q: "0% _"), Is.EqualTo(new[] { group }));
        Assert.That(await IdsAsync(ada, q: "x%x"), Is.Empty);
    }

    [TestCase("bm9uc2Vuc2U")]
    [TestCase("***")]
    [TestCase("MQox")]
    public async Task A_cursor_that_was_never_given_is_refused(string cursor)
    {
        var ada = await Slices.UserAsync();

        Assert.That((await ProblemAsync(() => ListAsync(ada, cursor: cursor))).Member, Is.EqualTo("cursor"));
    }

    [Test]
    public async Task The_service_has_no_inbox()
    {
        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new ListInbox(Actor.Service, InboxFilter.All, null, null, null, null, 30))),
            Is.EqualTo(ProblemCodes.UserNeeded));
    }

    private async Task<IEnumerable<ConversationId>> IdsAsync(
        UserId user, InboxFilter filter = InboxFilter.All, ConversationContext? context = null, ConversationType? type = null,
        string? q = null) =>
        (await ListAsync(user, filter, context, type, q)).Items.Select(c => c.Id);

    private Task<Page<ConversationView>> ListAsync(
        UserId user, InboxFilter filter = InboxFilter.All, ConversationContext? context = null, ConversationType? type = null,
        string? q = null,
        string? cursor = null, int limit = 30) =>
        Slices.SendAsync(new ListInbox(new Actor(user), filter, context, type, q, cursor, limit));
}
