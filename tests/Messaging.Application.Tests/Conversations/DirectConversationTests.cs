using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Conversations;

public sealed class DirectConversationTests : SliceFixture
{
    private readonly ManualTime time = new();

    [Test]
    public async Task The_second_opening_finds_the_first_from_either_side()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var first = await OpenAsync(ada, bob);
        var second = await OpenAsync(bob, ada);

        Assert.That((first.Created, second.Created), Is.EqualTo((true, false)));
        Assert.That(second.Value.Id, Is.EqualTo(first.Value.Id));
    }

    [Test]
    public async Task Each_context_has_a_conversation_of_its_own()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var plain = await OpenAsync(ada, bob);
        var posting = await OpenAsync(ada, bob, new ConversationContext("posting", "7"));
        var other = await OpenAsync(bob, ada, new ConversationContext("posting", "8"));

        Assert.That(new[] { plain, posting, other }.Select(o => o.Value.Id).Distinct().Count(), Is.EqualTo(3));
    }

    [Test]
    public async Task Of_two_openings_at_once_the_one_beyond_the_limit_of_the_two_is_refused_and_what_is_there_is_found()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var there = await OpenAsync(ada, bob);
        await Slices.ExecuteAsync(
            "INSERT INTO direct_keys SELECT @Key || ' posting ' || n, gen_random_uuid() FROM generate_series(1, 998) AS n",
            new { Key = NewConversation.DirectKey(ada, bob, context: null) });

        var codes = await Task.WhenAll(new[] { (ada, bob, "a"), (bob, ada, "b") }.Select(
            one => Task.Run(() => CodeAsync(() => OpenAsync(one.Item1, one.Item2, new ConversationContext("posting", one.Item3))))));

        Assert.That(codes, Is.EquivalentTo(new[] { "", ProblemCodes.LimitReached }));
        Assert.That((await OpenAsync(bob, ada)).Value.Id, Is.EqualTo(there.Value.Id));
    }

    [Test]
    public async Task Twenty_simultaneous_openings_from_both_sides_yield_one()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var opened = await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(i => Task.Run(() => i % 2 == 0 ? OpenAsync(ada, bob) : OpenAsync(bob, ada))));

        Assert.That(opened.Select(o => o.Value.Id).Distinct().Count(), Is.EqualTo(1));
        Assert.That(opened.Count(o => o.Created), Is.EqualTo(1));
        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM conversations WHERE created_by IN (@Ada, @Bob)", new { Ada = ada.Value, Bob = bob.Value }),
            Is.EqualTo(1));
    }

    [Test]
    public async Task The_first_message_comes_with_it_or_nothing_does()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var refused = await ProblemAsync(() => Slices.SendAsync(new OpenDirect(
            new Actor(ada), bob, null, new MessageContent(Text: "hi", Mentions: [new UserId("stranger")]))));
        var opened = await Slices.SendAsync(new OpenDirect(new Actor(ada), bob, null, new MessageContent(Text: "hi")));

        Assert.That(refused.Member, Is.EqualTo("message/mentions/0"));
        Assert.That((opened.Created, opened.Value.LastMessage!.Text), Is.EqualTo((true, "hi")));
    }

    [Test]
    public async Task Twenty_simultaneous_openings_with_the_same_first_message_yield_one_message()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var opened = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Slices.SendAsync(
            new OpenDirect(new Actor(ada), bob, null, new MessageContent("first", Text: "hi"))))));

        Assert.That(opened.Select(o => o.Value.LastSeq), Is.All.EqualTo(1));
    }

    [Test]
    public async Task Who_opens_what_is_there_with_a_message_waits_as_all_who_send_to_it()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var problem = await HoldingAsync(id, LockSql, async () =>
        {
            var waiting = ProblemAsync(() => Slices.SendAsync(new OpenDirect(new Actor(ada), bob, null, new MessageContent(Text: "hi"))));
            for (; !waiting.IsCompleted; await Task.Yield())
                time.Advance(ConversationWriter.MaxWait);
            return await waiting;
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
    }

    [Test]
    public async Task Without_a_message_it_is_in_the_openers_inbox_only()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var before = (await InboxAsync(ada), await InboxAsync(bob));
        await Slices.TextAsync(ada, id);

        Assert.That(before, Is.EqualTo((1, 0)));
        Assert.That(await InboxAsync(bob), Is.EqualTo(1));
    }

    // Deleted as its message is committed, and before anybody looks at it.
    [Test]
    public async Task A_conversation_deleted_right_after_its_first_message_is_not_sent_to_again()
    {
        await using var slices = await Slices.StartAsync();
        var (ada, bob) = (await slices.UserAsync(), await slices.UserAsync());
        await slices.DirectAsync(ada, bob);
        await slices.ExecuteAsync(
            """
            CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                DELETE FROM direct_keys WHERE conversation_id = NEW.id;
                DELETE FROM participants WHERE conversation_id = NEW.id;
                DELETE FROM conversations WHERE id = NEW.id;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER vanish AFTER UPDATE ON conversations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.last_seq = 1) EXECUTE FUNCTION vanish()
            """);

        var code = await CodeAsync(() => slices.SendAsync(new OpenDirect(new Actor(ada), bob, null, new MessageContent(Text: "hi"))));

        Assert.That(code, Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await slices.ScalarAsync<long>("SELECT count(*) FROM messages"), Is.EqualTo(1));
    }

    [Test]
    public async Task Unknown_users_and_oneself_are_refused_with_the_pointer()
    {
        var ada = await Slices.UserAsync();

        var oneself = await ProblemAsync(() => OpenAsync(ada, ada));
        var unknown = await ProblemAsync(() => OpenAsync(ada, new UserId("nobody")));

        Assert.That((oneself.Code, oneself.Member), Is.EqualTo((ProblemCodes.InvalidRequest, "userId")));
        Assert.That((unknown.Code, unknown.Member), Is.EqualTo((ProblemCodes.InvalidRequest, "userId")));
    }

    protected override void Add(IServiceCollection services) => services.AddSingleton<TimeProvider>(time);

    private Task<Upserted<ConversationView>> OpenAsync(UserId opener, UserId other, ConversationContext? context = null) =>
        Slices.SendAsync(new OpenDirect(new Actor(opener), other, context, Message: null));

    private async Task<int> InboxAsync(UserId user) =>
        (await Slices.SendAsync(new ListInbox(new Actor(user), InboxFilter.All, null, null, null, null, 30))).Items.Count;
}
