using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Contacts;

/// <summary>What holds between two while one has blocked the other, also while much happens at once.</summary>
public sealed class PartedTests : SliceFixture
{
    [TestCase("close")]
    [TestCase("read")]
    public async Task Nothing_is_told_to_the_other_after_a_block_was_answered(string what)
    {
        var (ada, bob, id) = await TalkAsync();
        using var stop = new CancellationTokenSource();
        Task ActAsync() => what == "close" ? CloseAndReopenAsync(ada, id) : ReadBackAndForthAsync(ada, id);
        var going = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RepeatAsync(ActAsync, stop.Token))));
        while (await ToldAsync(id) < 20)
            await Task.Yield();

        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        var told = await ToldAsync(id);
        for (var i = 0; i < 20; i++)
            await ActAsync();
        await stop.CancelAsync();
        await going;

        Assert.That(await ToldAsync(id), Is.EqualTo(told));
    }

    [Test]
    public async Task A_block_and_its_end_reach_all_conversations_of_two_who_have_hundreds()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        for (var i = 0; i < 520; i++)
            await Slices.SendAsync(new OpenDirect(new Actor(ada), bob, new ConversationContext("order", $"{i}"), Message: null));
        Task<long> BlockedAsync() => Slices.ScalarAsync<long>(
            "SELECT count(*) FROM conversations WHERE blocked AND created_by = @Ada", new { Ada = ada.Value });

        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        var blocked = await BlockedAsync();
        await Slices.SendAsync(new UnblockUser(new Actor(bob), ada));

        Assert.That((blocked, await BlockedAsync()), Is.EqualTo((520L, 0L)));
    }

    [TestCase(500, 1)]
    [TestCase(2_500, 5)]
    public async Task A_block_of_two_who_have_thousands_is_written_by_few_statements(int conversations, int statements)
    {
        await using var slices = await Slices.StartAsync();
        var (ada, bob) = (await slices.UserAsync(), await slices.UserAsync());
        await slices.ExecuteAsync(
            """
            CREATE TABLE counted AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, @Count) AS n;
            INSERT INTO conversations (id, type, created_by, participant_count, created_at, updated_at, last_event_at, last_activity_at)
            SELECT id, 'direct', @Ada, 2, now(), now(), now(), now() FROM counted;
            INSERT INTO participants (conversation_id, user_id, role, joined_at)
            SELECT id, u, 'member', now() FROM counted, unnest(ARRAY[@Ada, @Bob]) AS u;
            INSERT INTO direct_keys (direct_key, conversation_id) SELECT @Key || ' order ' || n, id FROM counted;
            TRUNCATE counted;
            CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO counted VALUES (1); RETURN NULL; END $$;
            CREATE TRIGGER count_it AFTER UPDATE ON conversations FOR EACH STATEMENT EXECUTE FUNCTION count_it();
            CREATE TRIGGER count_it AFTER UPDATE ON participants FOR EACH STATEMENT EXECUTE FUNCTION count_it()
            """,
            new { Count = conversations, Ada = ada.Value, Bob = bob.Value, Key = NewConversation.DirectKey(ada, bob, context: null) });

        await slices.SendAsync(new BlockUser(new Actor(bob), ada));

        Assert.That(
            await slices.ScalarAsync<long>("SELECT count(*) FROM conversations WHERE blocked"), Is.EqualTo(conversations));
        Assert.That(await slices.ScalarAsync<long>("SELECT count(*) FROM counted"), Is.EqualTo(2 * statements));
    }

    [Test]
    public async Task Reading_during_a_block_is_told_once_the_block_is_lifted()
    {
        var (ada, bob, id) = await TalkAsync();
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        await Slices.SendAsync(new MarkRead(new Actor(bob), id, null));
        var hidden = await PointerAsync(ada, bob, id);
        var told = await ToldAsync(id);

        await Slices.SendAsync(new UnblockUser(new Actor(bob), ada));

        Assert.That((hidden, await PointerAsync(ada, bob, id), await PointerAsync(bob, bob, id)), Is.EqualTo((1L, 3L, 3L)));
        Assert.That(await ToldAsync(id) - told, Is.EqualTo(2), "read and delivered");
    }

    // A message that is read after it is told after it.
    [Test]
    public async Task Marking_as_unread_during_a_block_takes_the_newest_event_number_when_the_block_is_lifted()
    {
        var (ada, bob, id) = await TalkAsync();
        await Slices.SendAsync(new MarkRead(new Actor(bob), id, null));
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 2));

        await Slices.SendAsync(new UnblockUser(new Actor(bob), ada));

        var told = await Slices.ScalarAsync<string>(
            """
            SELECT concat_ws(' ', payload ->> 'seq', event_no = (SELECT event_no FROM conversations WHERE id = @Id))
            FROM outbox
            WHERE conversation_id = @Id AND type = 'message:read' AND user_id IS NULL AND payload ->> 'userId' = @Bob
            ORDER BY occurred_at DESC
            LIMIT 1
            """,
            new { Id = id.Value, Bob = bob.Value });
        Assert.That(told, Is.EqualTo("1 t"));
    }

    [Test]
    public async Task A_pointer_that_is_hidden_stays_so_after_a_block()
    {
        var (ada, bob, id) = await TalkAsync();
        await HideAsync(Slices, bob, id);

        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));

        Assert.That((await PointerAsync(ada, bob, id), await PointerAsync(bob, ada, id)), Is.EqualTo((null as long?, 3L)));
    }

    [Test]
    public async Task A_pointer_that_is_hidden_stays_so_while_a_first_message_waits()
    {
        await using var asking = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests }));
        var (ada, bob) = (await asking.UserAsync("ada"), await asking.UserAsync("bob"));
        var id = await asking.DirectAsync(ada, bob);
        await HideAsync(asking, ada, id);

        await asking.TextAsync(ada, id);

        var people = (await asking.SendAsync(new GetConversation(Actor.Service, id))).Participants;
        Assert.That(people.Single(p => p.UserId == ada).LastReadSeq, Is.Null);
    }

    [Test]
    public async Task One_sees_ones_own_pointer_also_while_it_is_kept_from_the_other()
    {
        var (ada, bob, id) = await TalkAsync();
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));

        await Slices.SendAsync(new MarkRead(new Actor(bob), id, null));

        Assert.That((await PointerAsync(bob, bob, id), (await Slices.ViewAsync(bob, id)).Me!.LastReadSeq), Is.EqualTo((3L, 3L)));
    }

    [Test]
    public async Task A_first_message_that_was_not_sent_is_not_said_by_closing_either()
    {
        await using var asking = await Slices.StartAsync(
            services => services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests }));
        var (ada, bob) = (await asking.UserAsync("ada"), await asking.UserAsync("bob"));
        var id = await asking.DirectAsync(ada, bob);

        Assert.That(
            await RefusalAsync(() => asking.SendAsync(new CloseConversation(new Actor(ada), id, CloseReason.Manual, "Buy this"))),
            Is.EqualTo(ProblemCodes.RequestPending));
    }

    [Test]
    public async Task A_group_of_two_who_have_blocked_each_other_is_as_it_was()
    {
        var (ada, bob, _) = await TalkAsync();
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));

        var sent = await Slices.TextAsync(ada, group);
        await Slices.SendAsync(new MarkRead(new Actor(bob), group, null));
        var closed = await Slices.SendAsync(new CloseConversation(new Actor(ada), group, CloseReason.Manual, "done"));

        Assert.That(closed.Closed!.Note, Is.EqualTo("done"));
        Assert.That(await PointerAsync(ada, bob, group), Is.EqualTo(sent.Seq));
    }

    // Bob has read the first of three.
    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> TalkAsync()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.DirectAsync(ada, bob);
        for (var i = 0; i < 3; i++)
            await Slices.TextAsync(ada, id);
        await Slices.SendAsync(new MarkRead(new Actor(bob), id, 1));
        return (ada, bob, id);
    }

    private static Task<SettingsView> HideAsync(Slices slices, UserId user, ConversationId id) =>
        slices.SendAsync(new UpdateSettings(new Actor(user), id, new SettingsChange { ShowReadReceipts = new(false) }));

    private async Task<long?> PointerAsync(UserId viewer, UserId of, ConversationId id) =>
        (await Slices.ViewAsync(viewer, id)).Participants.Single(p => p.UserId == of).LastReadSeq;

    // Nothing takes from the outbox here.
    private Task<long> ToldAsync(ConversationId id) => Slices.ScalarAsync<long>(
        "SELECT count(*) FROM outbox WHERE conversation_id = @Id AND user_id IS NULL", new { Id = id.Value });

    private async Task CloseAndReopenAsync(UserId user, ConversationId id)
    {
        await CodeAsync(() => Slices.SendAsync(new CloseConversation(new Actor(user), id, CloseReason.Manual, "listen")));
        await CodeAsync(() => Slices.SendAsync(new ReopenConversation(new Actor(user), id)));
    }

    private async Task ReadBackAndForthAsync(UserId user, ConversationId id)
    {
        await Slices.SendAsync(new MarkUnread(new Actor(user), id, 1));
        await Slices.SendAsync(new MarkRead(new Actor(user), id, null));
    }

    private static async Task RepeatAsync(Func<Task> act, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
            await act();
    }
}
