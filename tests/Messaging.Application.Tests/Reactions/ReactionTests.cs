using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Reactions;
using Messaging.Testing;

namespace Messaging.Application.Tests.Reactions;

public sealed class ReactionTests : SliceFixture
{
    // The brute force: every group counted from the rows, and its first ten.
    private const string RecountSql =
        """
        SELECT count(*)
        FROM (
            SELECT conversation_id, seq, emoji, count(*)::integer AS count,
                (array_agg(user_id ORDER BY created_at, user_id))[1:10] AS user_ids
            FROM reactions
            WHERE conversation_id = @Id
            GROUP BY conversation_id, seq, emoji
        ) r
        FULL JOIN (SELECT * FROM reaction_counts WHERE conversation_id = @Id) c USING (conversation_id, seq, emoji)
        WHERE r.count IS DISTINCT FROM c.count OR cardinality(r.user_ids) IS DISTINCT FROM cardinality(c.user_ids)
            OR NOT r.user_ids @> c.user_ids
        """;

    [Test]
    public async Task A_reaction_is_put_shown_listed_and_taken_away()
    {
        var (ada, bob, message) = await MessageAsync();

        var put = await ReactAsync(bob, message, "❤");
        var again = await ReactAsync(bob, message, "❤️");

        Assert.That((put.Created, put.Value.Emoji, put.Value.User.UserId), Is.EqualTo((true, "❤️", bob)));
        Assert.That(again, Is.EqualTo(put with { Created = false }));
        Assert.That(await ShownAsync(ada, message), Is.EqualTo(new[] { $"❤️ 1 False {bob}" }));
        Assert.That(await ShownAsync(bob, message), Is.EqualTo(new[] { $"❤️ 1 True {bob}" }));
        Assert.That((await ListAsync(ada, message)).Items, Is.EqualTo(new[] { put.Value }));
        await UnreactAsync(bob, message, "❤");
        await UnreactAsync(bob, message, "❤");
        Assert.That(await ShownAsync(ada, message), Is.Empty);
        Assert.That(await EventsAsync(message), Is.EqualTo(new[] { $"❤️ {bob} True 1 at 1", $"❤️ {bob} False 0 at 1" }));
    }

    [Test]
    public async Task Groups_stand_in_the_order_in_which_they_came_and_name_the_first_ten()
    {
        var (users, message) = await GroupMessageAsync(13);
        await ReactAsync(users[12], message, "😀");
        foreach (var user in users)
            await ReactAsync(user, message, "👍");
        await ReactAsync(users[0], message, "👍🏽");

        await UnreactAsync(users[3], message, "👍");

        Assert.That(await ShownAsync(users[0], message), Is.EqualTo(new[]
        {
            $"😀 1 False {users[12]}",
            $"👍 12 True {string.Join(' ', users.Where((_, i) => i != 3).Take(10))}",
            $"👍🏽 1 True {users[0]}",
        }));
    }

    [Test]
    public async Task Three_hundred_at_once_are_counted_right()
    {
        var (users, message) = await GroupMessageAsync(300);

        await Task.WhenAll(users.Select((user, i) => Task.Run(() => ReactAsync(user, message, i % 3 == 0 ? "🎉" : "👍"))));

        var shown = (await PageAsync(users[0], message)).Reactions;
        Assert.That(shown.ToDictionary(r => r.Emoji, r => (r.Count, r.UserIds.Count)), Is.EquivalentTo(new Dictionary<string, (int, int)>
        {
            ["👍"] = (200, 10), ["🎉"] = (100, 10),
        }));
        Assert.That(await WrongCountsAsync(message), Is.Zero);
        Assert.That(
            (await EventsAsync(message)).Select(e => e.Split(' ')).GroupBy(e => e[0]).Select(g => g.Select(e => int.Parse(e[3])).Order()),
            Is.EquivalentTo(new[] { Enumerable.Range(1, 200), Enumerable.Range(1, 100) }));
        await Task.WhenAll(users.Select((user, i) => Task.Run(() => UnreactAsync(user, message, i % 3 == 0 ? "🎉" : "👍"))));
        Assert.That((await PageAsync(users[0], message)).Reactions, Is.Empty);
    }

    [Test]
    public async Task Under_one_a_second_reaction_takes_the_place_of_the_first()
    {
        var (ada, bob, message) = await MessageAsync();
        await ReactAsync(bob, message, "👍");
        await ReactAsync(bob, message, "😀");
        await AllowAsync(message, """{"mode":"one"}""");

        var put = await ReactAsync(bob, message, "🎉");

        Assert.That(put.Created, Is.True);
        Assert.That(await ShownAsync(ada, message), Is.EqualTo(new[] { $"🎉 1 False {bob}" }));
        Assert.That((await EventsAsync(message)).Skip(2).Order(StringComparer.Ordinal), Is.EqualTo(
            new[] { $"🎉 {bob} True 1 at 1", $"👍 {bob} False 0 at 1", $"😀 {bob} False 0 at 1" }.Order(StringComparer.Ordinal)));
    }

    [Test]
    public async Task Two_reactions_of_one_user_at_once_leave_one_where_one_is_allowed()
    {
        var (ada, bob, message) = await MessageAsync();
        await AllowAsync(message, """{"mode":"one"}""");
        string[] emojis = ["👍", "🎉", "❤️", "😀", "😢", "😡", "👀", "🔥"];

        await Task.WhenAll(emojis.Select(emoji => Task.Run(() => ReactAsync(bob, message, emoji))));

        Assert.That((await PageAsync(ada, message)).Reactions.Select(r => r.Count), Is.EqualTo(new[] { 1 }));
        Assert.That(await WrongCountsAsync(message), Is.Zero);
    }

    [Test]
    public async Task The_policy_says_what_may_be_put_but_not_what_may_be_taken_away()
    {
        var (_, bob, message) = await MessageAsync();
        await ReactAsync(bob, message, "🎉");

        await AllowAsync(message, """{"allowed":["❤",":ship_it:"]}""");
        Assert.That(await RefusalAsync(() => ReactAsync(bob, message, "👍")), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await ReactAsync(bob, message, "❤️")).Created, Is.True);
        Assert.That((await ReactAsync(bob, message, ":SHIP_IT:")).Value.Emoji, Is.EqualTo(":ship_it:"));
        await AllowAsync(message, """{"mode":"none"}""");
        Assert.That(await RefusalAsync(() => ReactAsync(bob, message, "❤️")), Is.EqualTo(ProblemCodes.NotAllowed));
        await UnreactAsync(bob, message, "🎉");
        Assert.That((await ListAsync(bob, message)).Items.Select(r => r.Emoji), Is.EquivalentTo(new[] { "❤️", ":ship_it:" }));
    }

    [Test]
    public async Task Text_that_is_no_emoji_is_refused()
    {
        var (_, bob, message) = await MessageAsync();

        foreach (var request in new Func<Task>[]
            { () => ReactAsync(bob, message, "yes!"), () => UnreactAsync(bob, message, "yes!"), () => ListAsync(bob, message, "yes!") })
            Assert.That((await ProblemAsync(request)) is { Code: ProblemCodes.InvalidRequest, Member: "emoji" }, Is.True);
    }

    [Test]
    public async Task A_message_takes_so_many_emoji_of_one_user_and_so_many_of_all()
    {
        var (users, message) = await GroupMessageAsync(4);
        var emojis = Emoji.All.Where(e => e.Length == 2).Take(51).ToArray();
        for (var i = 0; i < 20; i++)
            await ReactAsync(users[0], message, emojis[i]);
        Assert.That((await ProblemAsync(() => ReactAsync(users[0], message, emojis[20]))).Code, Is.EqualTo(ProblemCodes.LimitReached));

        for (var i = 20; i < 50; i++)
            await ReactAsync(users[1 + (i / 40)], message, emojis[i]);
        Assert.That((await ProblemAsync(() => ReactAsync(users[3], message, emojis[50]))).Code, Is.EqualTo(ProblemCodes.LimitReached));
        Assert.That((await ReactAsync(users[3], message, emojis[49])).Created, Is.True);
        Assert.That((await PageAsync(users[3], message)).Reactions, Has.Count.EqualTo(50));
    }

    [Test]
    public async Task Who_does_not_see_the_message_neither_reacts_to_it_nor_hears_who_did()
    {
        var (ada, bob, message) = await MessageAsync();
        var eve = await Slices.UserAsync();
        await ReactAsync(bob, message, "👍");

        await NothingAsync(eve);
        await Slices.SendAsync(new DeleteMessage(new Actor(bob), message.ConversationId, message.Id, DeleteScope.Me, null, null));
        await NothingAsync(bob);
        await Slices.SendAsync(new ClearHistory(new Actor(ada), message.ConversationId, LeavesInbox: false));
        await NothingAsync(ada);
        Assert.That((await Slices.SendAsync(new ListReactions(Actor.Service, message.ConversationId, message.Id, null, null, 10))).Items,
            Has.Count.EqualTo(1));

        async Task NothingAsync(UserId user)
        {
            Assert.That(await RefusalAsync(() => ReactAsync(user, message, "👍")), Is.EqualTo(ProblemCodes.NotFound));
            Assert.That(await RefusalAsync(() => UnreactAsync(user, message, "👍")), Is.EqualTo(ProblemCodes.NotFound));
            Assert.That(await RefusalAsync(() => ListAsync(user, message)), Is.EqualTo(ProblemCodes.NotFound));
        }
    }

    [Test]
    public async Task A_conversation_that_takes_no_messages_takes_no_reactions()
    {
        var (ada, bob, message) = await MessageAsync();
        await ReactAsync(bob, message, "👍");

        await RefusedAfterAsync("blocked = true", ProblemCodes.Blocked);
        await RefusedAfterAsync("blocked = false, request = 'pending'", ProblemCodes.RequestPending);
        await RefusedAfterAsync("request = NULL, closed_at = now(), closed_reason = 'manual'", ProblemCodes.ConversationClosed);
        await RefusedAfterAsync("archived_at = now()", ProblemCodes.ConversationArchived);
        Assert.That((await ListAsync(ada, message)).Items, Has.Count.EqualTo(1));

        async Task RefusedAfterAsync(string change, string code)
        {
            await Slices.ExecuteAsync($"UPDATE conversations SET {change} WHERE id = @Id", new { Id = message.ConversationId.Value });
            Assert.That(await RefusalAsync(() => ReactAsync(bob, message, "🎉")), Is.EqualTo(code));
            Assert.That(await RefusalAsync(() => UnreactAsync(bob, message, "👍")), Is.EqualTo(code));
        }
    }

    [Test]
    public async Task The_service_reacts_as_a_user_only()
    {
        var (_, _, message) = await MessageAsync();

        Assert.That(
            (await ProblemAsync(() => Slices.SendAsync(new React(Actor.Service, message.ConversationId, message.Id, "👍")))).Code,
            Is.EqualTo(ProblemCodes.UserNeeded));
    }

    [Test]
    public async Task Whoever_leaves_leaves_the_reactions_behind()
    {
        var (users, message) = await GroupMessageAsync(3);
        await ReactAsync(users[2], message, "👍");

        await Slices.SendAsync(new LeaveConversation(new Actor(users[2]), message.ConversationId));

        Assert.That(await ShownAsync(users[0], message), Is.EqualTo(new[] { $"👍 1 False {users[2]}" }));
        Assert.That(await RefusalAsync(() => UnreactAsync(users[2], message, "👍")), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task A_message_that_is_deleted_while_people_react_keeps_none()
    {
        var (users, message) = await GroupMessageAsync(30);

        var reacting = users.Select((user, i) => Task.Run(() => CodeAsync(() => ReactAsync(user, message, i % 2 == 0 ? "👍" : "🎉"))))
            .ToList();
        await reacting[0];
        await Slices.SendAsync(
            new DeleteMessage(new Actor(users[0]), message.ConversationId, message.Id, DeleteScope.Everyone, null, null));
        var codes = await Task.WhenAll(reacting);

        Assert.That(codes.Where(code => code.Length > 0), Is.All.EqualTo(ProblemCodes.MessageDeleted));
        Assert.That(await RefusalAsync(() => UnreactAsync(users[0], message, "👍")), Is.EqualTo(ProblemCodes.MessageDeleted));
        Assert.That((await PageAsync(users[0], message)).Reactions, Is.Empty);
        Assert.That(await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM reactions WHERE conversation_id = @Id", new { Id = message.ConversationId.Value }), Is.Zero);
        Assert.That(await WrongCountsAsync(message), Is.Zero);
    }

    [Test]
    public async Task Who_reacted_is_told_page_by_page()
    {
        var (users, message) = await GroupMessageAsync(7);
        foreach (var user in users)
        {
            await ReactAsync(user, message, "👍");
            await ReactAsync(user, message, "🎉");
        }

        var all = await PagesAsync(null);
        var some = await PagesAsync("👍");

        Assert.That(all.Select(r => (r.User.UserId, r.Emoji)).ToList(), Is.Unique.And.Count.EqualTo(14));
        Assert.That(all.Select(r => r.User.UserId), Is.Ordered);
        Assert.That(some.Select(r => r.User.UserId), Is.EqualTo(users.Order()));

        async Task<List<ReactionItem>> PagesAsync(string? emoji)
        {
            var items = new List<ReactionItem>();
            for (string? cursor = null; ;)
            {
                var page = await Slices.SendAsync(
                    new ListReactions(new Actor(users[0]), message.ConversationId, message.Id, emoji, cursor, 3));
                items.AddRange(page.Items);
                if ((cursor = page.NextCursor) is null)
                    return items;
            }
        }
    }

    [Test]
    public async Task A_page_shows_the_reactions_of_each_of_its_messages()
    {
        var (ada, bob, first) = await MessageAsync();
        await Slices.TextAsync(ada, first.ConversationId);
        var third = await Slices.TextAsync(ada, first.ConversationId);
        await ReactAsync(bob, first, "👍");
        await ReactAsync(ada, third, "🎉");

        var page = await Slices.SendAsync(new ListMessages(new Actor(ada), first.ConversationId, null, null, null, 50));

        Assert.That(page.Items.Select(m => string.Join(' ', m.Reactions.Select(r => r.Emoji))), Is.EqualTo(new[] { "👍", "", "🎉" }));
    }

    [TestCase("""{"mode":"many"}""")]
    [TestCase("""{"mode":"one"}""")]
    [TestCase("""{"mode":"many","allowed":["👍","❤️"]}""")]
    [TestCase("""{"mode":"one","allowed":["👍","❤️"]}""")]
    [TestCase("""{"mode":"none"}""")]
    public Task Any_program_of_puts_and_deletes_equals_a_set(string policy) =>
        Gen.Select(Gen.Int[0, 3], Gen.OneOfConst("👍", "❤", "❤️", "🎉", ":a:"), Gen.Int[0, 2])
            .CheckAsync(length: 120, cases: 1, program => EqualsASetAsync(policy, program));

    private async Task EqualsASetAsync(string policy, (int, string, int)[] program)
    {
        var (users, message) = await GroupMessageAsync(4);
        await AllowAsync(message, policy);
        var rules = new PolicySettings().With(new JsonText($$"""{"reactions":{{policy}}}""")).Reactions;
        var model = new HashSet<(int Who, string Emoji)>();
        foreach (var (who, form, kind) in program)
        {
            var emoji = Emoji.Of(form)!;
            var allowed = kind == 0 || (rules.Mode is not ReactionMode.None && rules.Allowed?.Contains(emoji) != false);
            Assert.That(await CodeAsync(() => kind == 0 ? UnreactAsync(users[who], message, form) : ReactAsync(users[who], message, form)),
                Is.EqualTo(allowed ? "" : ProblemCodes.NotAllowed));
            if (!allowed)
                continue;
            model.RemoveWhere(r => r.Who == who && (kind == 0 ? r.Emoji == emoji : rules.Mode is ReactionMode.One));
            if (kind > 0)
                model.Add((who, emoji));
        }

        var shown = (await PageAsync(users[0], message)).Reactions.SelectMany(
            r => r.UserIds.Select(user => (users.ToList().IndexOf(user), r.Emoji)));
        Assert.That(shown, Is.EquivalentTo(model));
        Assert.That(await FoldAsync(message), Is.EquivalentTo(model.Select(r => (users[r.Who].Value, r.Emoji))));
        Assert.That(await WrongCountsAsync(message), Is.Zero);
    }

    private Task<long> WrongCountsAsync(MessageView message) =>
        Slices.ScalarAsync<long>(RecountSql, new { Id = message.ConversationId.Value });

    private async Task<HashSet<(string User, string Emoji)>> FoldAsync(MessageView message)
    {
        var folded = new HashSet<(string, string)>();
        foreach (var told in await ToldAsync(message))
        {
            var changed = told.Added ? folded.Add((told.UserId.Value, told.Emoji)) : folded.Remove((told.UserId.Value, told.Emoji));
            Assert.That(changed, Is.True, "nothing is told that changes nothing");
        }
        return folded;
    }

    private async Task<IReadOnlyList<string>> EventsAsync(MessageView message) =>
        [.. (await ToldAsync(message)).Select(told => $"{told.Emoji} {told.UserId} {told.Added} {told.Count} at {message.Seq}")];

    private async Task<IReadOnlyList<ReactionValues>> ToldAsync(MessageView message)
    {
        var payloads = await Slices.SqlAsync(session => session.QueryAsync<JsonText>(
            "SELECT payload FROM outbox WHERE conversation_id = @Id AND seq = @Seq AND type = 'message:reaction' AND user_id IS NULL "
                + "ORDER BY event_no",
            new { Id = message.ConversationId.Value, message.Seq }, CancellationToken.None));
        return payloads.ConvertAll(payload => MessagingJson.Read<ReactionValues>(payload)!);
    }

    private async Task<(UserId Ada, UserId Bob, MessageView Message)> MessageAsync()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        return (ada, bob, await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob)));
    }

    private async Task<(IReadOnlyList<UserId> Users, MessageView Message)> GroupMessageAsync(int size)
    {
        var users = await Slices.UsersAsync(size);
        return (users, await Slices.TextAsync(users[0], await Slices.GroupAsync(users[0], [.. users.Skip(1)])));
    }

    private Task AllowAsync(MessageView message, string reactions) => Slices.ExecuteAsync(
        "UPDATE conversations SET policy = jsonb_build_object('reactions', @Reactions::jsonb), version = version + 1 WHERE id = @Id",
        new { Id = message.ConversationId.Value, Reactions = reactions });

    private Task<Upserted<ReactionItem>> ReactAsync(UserId user, MessageView message, string emoji) =>
        Slices.SendAsync(new React(new Actor(user), message.ConversationId, message.Id, emoji));

    private Task<Done> UnreactAsync(UserId user, MessageView message, string emoji) =>
        Slices.SendAsync(new Unreact(new Actor(user), message.ConversationId, message.Id, emoji));

    private Task<Page<ReactionItem>> ListAsync(UserId user, MessageView message, string? emoji = null) =>
        Slices.SendAsync(new ListReactions(new Actor(user), message.ConversationId, message.Id, emoji, null, 100));

    private async Task<MessageView> PageAsync(UserId viewer, MessageView message) =>
        await Slices.SendAsync(new GetMessage(new Actor(viewer), message.ConversationId, message.Id));

    private async Task<IEnumerable<string>> ShownAsync(UserId viewer, MessageView message) =>
        (await PageAsync(viewer, message)).Reactions.Select(r => $"{r.Emoji} {r.Count} {r.Mine} {string.Join(' ', r.UserIds)}");
}
