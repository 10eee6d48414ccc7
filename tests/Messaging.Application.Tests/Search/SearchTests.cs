using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Search;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Application.Tests.Search;

public sealed class SearchTests : SliceFixture
{
    [TestCase("river", "The river is wide", true)]
    [TestCase("RIVER", "The river is wide", true)]
    [TestCase("riv", "The river is wide", true)]
    [TestCase("riv wide", "The river is wide", false)]
    [TestCase("wide river", "The river is wide", true)]
    [TestCase("river mountain", "The river is wide", false)]
    [TestCase("\"river is\"", "The river is wide", true)]
    [TestCase("\"river wide\"", "The river is wide", false)]
    [TestCase("\"the riv", "The river is wide", true)]
    [TestCase("secret", "<secret word>", true)]
    [TestCase("example", "see https://www.example.com/a?b=c", true)]
    [TestCase("com", "see https://www.example.com/a?b=c", true)]
    [TestCase("12", "order -12 of e-mail@host", true)]
    [TestCase("größe", "Die GRÖSSE oder Größe", true)]
    [TestCase("привет", "Привет, мир", true)]
    [TestCase("don't", "I don't know", true)]
    [TestCase("river & ! | <-> :* ( )", "The river is wide", true)]
    [TestCase("'river' \\", "The river is wide", true)]
    public async Task Words_phrases_and_beginnings(string q, string text, bool found)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var sent = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob), text);

        var page = await SearchAsync(bob, q);

        Assert.That(page.Items.Select(item => item.Message.Id), Is.EqualTo(found ? new[] { sent.Id } : []));
    }

    [TestCase("", "q")]
    [TestCase(null, "q")]
    [TestCase("…!", "q")]
    [TestCase("\"\"", "q")]
    public async Task A_search_without_a_word_is_refused(string? q, string member)
    {
        var ada = await Slices.UserAsync();

        Assert.That((await ProblemAsync(() => SearchAsync(ada, q))).Member, Is.EqualTo(member));
        Assert.That((await ProblemAsync(() => SearchAsync(ada, new string('x', 201)))).Member, Is.EqualTo(member));
        Assert.That((await ProblemAsync(() => SearchAsync(ada, "a\0b"))).Member, Is.EqualTo(member));
    }

    [TestCase("a 😀 river and a riverbank", "river", new[] { 4, 5, 16, 9 })]
    [TestCase("river bank, bank river", "\"river bank\"", new[] { 0, 5, 6, 4 })]
    [TestCase("<b>river</b>", "river", new[] { 3, 5 })]
    [TestCase("RIVER, Ri-ver", "ri", new[] { 0, 5, 7, 2 })]
    public async Task Highlights_are_places_in_code_points(string text, string q, int[] ranges)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob), text);

        var highlight = (await SearchAsync(bob, q)).Items.Single().Highlight;

        Assert.That(highlight.Text, Is.EqualTo(text));
        Assert.That(highlight.Ranges.SelectMany(range => range), Is.EqualTo(ranges));
    }

    [Test]
    public async Task A_long_text_is_cut_around_the_first_place()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob),
            string.Concat(Enumerable.Repeat("word ", 100)) + "river " + string.Concat(Enumerable.Repeat("more ", 100)));

        var highlight = (await SearchAsync(bob, "river")).Items.Single().Highlight;

        Assert.That(highlight.Text, Does.StartWith("…").And.EndsWith("…").And.Length.EqualTo(202));
        Assert.That(highlight.Text.Substring(highlight.Ranges.Single()[0], highlight.Ranges.Single()[1]), Is.EqualTo("river"));
    }

    [Test]
    public void Of_a_long_text_no_more_is_read_than_what_is_shown_and_its_edges()
    {
        var text = string.Concat(Enumerable.Repeat("a ", 4_000)) + "the river bank 😀 is wide"
            + string.Concat(Enumerable.Repeat(" a", 4_000));

        var excerpt = Excerpt.Of(text, [new SearchTerm(["river", "ban"], IsOpen: true)]);

        Assert.That(excerpt.Text, Does.Contain("the river bank 😀 is wide"));
        Assert.That((StrictText.Length(excerpt.Text), StrictText.Length(excerpt.Around)), Is.EqualTo((200, 200 + (2 * 64))));
    }

    [TestCase("river")]
    [TestCase("\"river bank\"")]
    public async Task A_part_of_a_word_at_the_end_of_what_is_read_is_none(string q)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        for (var i = 0; i < 12; i++)
            await Slices.TextAsync(ada, id, $"river bank {new string('x', 240 + i)}river bank {new string('x', 300)}");

        var found = (await SearchAsync(bob, q)).Items;
        Assert.That(found, Has.Count.EqualTo(12));
        foreach (var item in found)
            Assert.That(item.Highlight.Ranges.Select(range => range[0]), Is.EqualTo(q == "river" ? new[] { 0 } : [0, 6]));
    }

    [Test]
    public async Task A_word_that_is_said_again_and_again_is_one()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob), "a b");

        var ranges = (await SearchAsync(bob, string.Concat(Enumerable.Repeat("a A ", 50)))).Items.Single().Highlight.Ranges;

        Assert.That(ranges.Single(), Is.EqualTo(new[] { 0, 1 }));
    }

    [Test]
    public async Task More_than_16_words_are_refused()
    {
        var ada = await Slices.UserAsync();
        var words = string.Join(' ', Enumerable.Range(1, 16));

        Assert.That((await SearchAsync(ada, words)).Items, Is.Empty);
        foreach (var q in (string[])[$"{words} 17", $"\"{words} 17\"", $"{words} \"1 2\""])
        {
            var problem = await ProblemAsync(() => SearchAsync(ada, q));
            Assert.That(problem.Member, Is.EqualTo("q"));
            Assert.That(problem.Detail, Does.StartWith("At most 16 different words"));
        }
    }

    [Test]
    public async Task A_conversation_that_one_cannot_see_is_not_found()
    {
        var users = await Slices.UsersAsync(3);
        var id = await Slices.GroupAsync(users[0], [users[1]]);
        await Slices.SendAsync(new LeaveConversation(new Actor(users[1]), id));

        Assert.That((await Slices.SendAsync(Query(users[0], "river") with { ConversationId = id })).Items, Is.Empty);
        foreach (var user in users.Skip(1))
            Assert.That(await RefusalAsync(() => Slices.SendAsync(Query(user, "river") with { ConversationId = id })),
                Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(
            await RefusalAsync(
                () => Slices.SendAsync(Query(users[0], "river") with { ConversationId = new ConversationId(Guid.CreateVersion7()) })),
            Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task Nobody_finds_what_is_not_theirs_to_see()
    {
        var users = await Slices.UsersAsync(4);
        var id = (await Slices.SendAsync(new CreateGroup(
            new Actor(users[0]), "Group", [users[1], users[2]], null, null, null, null, null,
            new PolicyChange { History = new(HistoryAccess.SinceJoin) }))).Id;
        var sent = await Slices.TextAsync(users[0], id, "river");

        await Slices.SendAsync(new AddParticipants(new Actor(users[0]), id, [users[3]], null));
        await Slices.SendAsync(new LeaveConversation(new Actor(users[1]), id));
        await Slices.SendAsync(new ClearHistory(new Actor(users[2]), id, LeavesInbox: false));

        Assert.That((await SearchAsync(users[0], "river")).Items.Single().Message.Id, Is.EqualTo(sent.Id));
        foreach (var user in users.Skip(1))
            Assert.That((await SearchAsync(user, "river")).Items, Is.Empty);
        Assert.That((await Slices.SendAsync(Query(users[3], "river") with { ConversationId = id })).Items, Is.Empty);
    }

    [Test]
    public async Task Sender_time_and_conversation_narrow_it()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var (withBob, withEve) = (await Slices.DirectAsync(ada, bob), await Slices.DirectAsync(ada, eve));
        var first = await Slices.TextAsync(ada, withBob, "river one");
        var second = await Slices.TextAsync(bob, withBob, "river two");
        var third = await Slices.TextAsync(eve, withEve, "river three");

        Assert.That(await IdsAsync(Query(ada, "river")), Is.EqualTo(new[] { third.Id, second.Id, first.Id }));
        Assert.That(await IdsAsync(Query(ada, "river") with { SenderId = bob }), Is.EqualTo(new[] { second.Id }));
        Assert.That(await IdsAsync(Query(ada, "river") with { ConversationId = withEve }), Is.EqualTo(new[] { third.Id }));
        Assert.That(await IdsAsync(Query(ada, "river") with { From = second.CreatedAt }), Is.EqualTo(new[] { third.Id, second.Id }));
        Assert.That(await IdsAsync(Query(ada, "river") with { To = second.CreatedAt }), Is.EqualTo(new[] { first.Id }));
        Assert.That(await IdsAsync(Query(ada, "river") with { From = third.CreatedAt, To = first.CreatedAt }), Is.Empty);
        Assert.That(await IdsAsync(Query(ada, "river") with { From = Instant.MinValue, To = Instant.MaxValue }), Has.Exactly(3).Items);
    }

    [Test]
    public async Task Pages_go_back_over_years()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        for (var i = 0; i < 25; i++)
            await Slices.TextAsync(ada, id, $"river {i}");
        await Slices.ExecuteAsync(
            """
            SELECT create_messages_partition((now() - make_interval(days => n * 40))::date) FROM generate_series(0, 25) AS n;
            UPDATE messages SET created_at = created_at - make_interval(days => (25 - seq)::int * 40) WHERE conversation_id = @Id;
            UPDATE conversations SET created_at = created_at - interval '5 years' WHERE id = @Id
            """,
            new { Id = id.Value });

        var (seqs, cursor) = (new List<long>(), (string?)null);
        do
        {
            var page = await Slices.SendAsync(Query(bob, "river") with { Cursor = cursor, Limit = 4 });
            seqs.AddRange(page.Items.Select(item => item.Message.Seq));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(seqs, Is.EqualTo(Enumerable.Range(1, 25).Reverse().Select(seq => (long)seq)));
    }

    [Test]
    public Task Nothing_deleted_cleared_or_edited_away_is_ever_found() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2], Gen.Int[1, 60]).CheckAsync(length: 200, cases: 1, FindsNothingThatIsGoneAsync);

    private async Task FindsNothingThatIsGoneAsync((int, int, int)[] program)
    {
        string[] words = ["river", "stone", "cloud", "bridge"];
        var users = await Slices.UsersAsync(3);
        var id = await Slices.GroupAsync(users[0], [users[1], users[2]]);
        var (texts, hidden, cleared) = (new Dictionary<long, (MessageView Message, string? Text)>(), new HashSet<(int, long)>(),
            new long[3]);

        foreach (var (kind, who, n) in program)
        {
            var known = texts.TryGetValue(n, out var it) && n > cleared[who] && !hidden.Contains((who, n)) && it.Text is not null;
            switch (kind)
            {
                case <= 4:
                    var text = $"{words[n % 4]} and {words[n / 4 % 4]}";
                    var sent = await Slices.TextAsync(users[who], id, text);
                    texts.Add(sent.Seq, (sent, text));
                    break;
                case 5 or 6 when known && it.Message.SenderId == users[who]:
                    texts[n] = (it.Message, $"now {words[(n + kind) % 4]}");
                    await Slices.SendAsync(
                        new EditMessage(new Actor(users[who]), id, it.Message.Id, null, new(texts[n].Text), default, default));
                    break;
                case 7 when known && (who == 0 || it.Message.SenderId == users[who]):
                    texts[n] = (it.Message, null);
                    await Slices.SendAsync(new DeleteMessage(new Actor(users[who]), id, it.Message.Id, DeleteScope.Everyone, null, null));
                    break;
                case 8 when known:
                    hidden.Add((who, n));
                    await Slices.SendAsync(new DeleteMessage(new Actor(users[who]), id, it.Message.Id, DeleteScope.Me, null, null));
                    break;
                case 9 when n > 57:
                    cleared[who] = texts.Count + 1;
                    await Slices.SendAsync(new ClearHistory(new Actor(users[who]), id, LeavesInbox: false));
                    break;
            }
            var word = words[n % 4];
            var expected = texts.Where(t => t.Key > cleared[who] && !hidden.Contains((who, t.Key))
                && t.Value.Text?.Contains(word, StringComparison.Ordinal) == true)
                .Select(t => t.Key).OrderDescending();
            Assert.That(
                (await Slices.SendAsync(Query(users[who], word) with { Limit = 100 })).Items.Select(item => item.Message.Seq),
                Is.EqualTo(expected.Take(100)));
        }
    }

    private static SearchMessages Query(UserId user, string? q) => new(new Actor(user), q, null, null, null, null, null, 30);

    private Task<Page<FoundMessage>> SearchAsync(UserId user, string? q) => Slices.SendAsync(Query(user, q));

    private async Task<IEnumerable<MessageId>> IdsAsync(SearchMessages query) =>
        (await Slices.SendAsync(query)).Items.Select(item => item.Message.Id);
}
