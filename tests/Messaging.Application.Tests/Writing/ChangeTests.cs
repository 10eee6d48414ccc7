using Messaging.Application.Attachments;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Writing;

/// <summary>What is no message and goes through the one writer all the same.</summary>
public sealed class ChangeTests : SliceFixture
{
    private readonly ManualTime time = new();

    private const string LockPlacesSql = "SELECT user_id FROM participants WHERE conversation_id = @Id FOR NO KEY UPDATE";

    private static readonly string[] OwnKinds = ["clear", "settings"];

    private static readonly string[] Kinds = ["react", "unreact", "pin", "unpin", "edit", "delete", "hide", "unread"];

    [TestCaseSource(nameof(Kinds))]
    public async Task A_change_of_a_held_conversation_delays_only_itself(string kind)
    {
        var (held, free) = (await MessageAsync(), await MessageAsync());

        var change = await HoldingAsync(held.Message.ConversationId, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, held.Ada, held.Message);
            for (var i = 0; i < 5; i++)
                await ChangeAsync(kind, free.Ada, await Slices.TextAsync(free.Ada, free.Message.ConversationId));
            Assert.That(waiting.IsCompleted, Is.False);
            return waiting;
        });

        await Assert.ThatAsync(() => change, Throws.Nothing);
    }

    [TestCaseSource(nameof(Kinds))]
    public async Task Whose_change_waits_for_too_long_is_told_to_come_again(string kind)
    {
        var (ada, message) = await MessageAsync();

        var problem = await HoldingAsync(message.ConversationId, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, ada, message);
            time.Advance(ConversationWriter.MaxWait);
            return await ProblemAsync(() => waiting);
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
        Assert.That(await EventsAsync(message), Is.EqualTo(new[] { "message:new" }));
    }

    [Test]
    public async Task Who_archives_is_told_of_it_after_the_messages_that_came_before_in_the_batch()
    {
        var (ada, message) = await MessageAsync();
        await using var connection = await Slices.OpenAsync();
        await using var scope = Slices.Get<IServiceScopeFactory>().CreateAsyncScope();

        await scope.ServiceProvider.GetRequiredService<ChangeSet>().RunAsync(
            connection, [NewText("one"), NewText("two"), new Archiving(message.ConversationId, ada)], waits: false, CancellationToken.None);

        var told = await Slices.SqlAsync(session => session.QueryAsync<string>(
            "SELECT type FROM outbox WHERE conversation_id = @Id ORDER BY occurred_at, conversation_id, event_no, id",
            new { Id = message.ConversationId.Value }, CancellationToken.None));
        Assert.That(told.TakeLast(3).ToList(), Is.EqualTo(new[] { "message:new", "message:new", "settings:updated" }));

        MessageChange NewText(string text) =>
            new(new Actor(ada), message.ConversationId, new MessageContent(Text: text), Slices.Get<FileUrls>());
    }

    [Test]
    public async Task Reading_and_leaving_in_one_batch_are_both_written()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob);
        await Slices.TextAsync(ada, group);
        await using var connection = await Slices.OpenAsync();
        await using var scope = Slices.Get<IServiceScopeFactory>().CreateAsyncScope();

        await scope.ServiceProvider.GetRequiredService<ChangeSet>().RunAsync(
            connection, [new PointerChange(group, bob, reads: true, seq: null), new RemovalChange(new Actor(bob), group, bob)],
            waits: false, CancellationToken.None);

        Assert.That(
            await Slices.ScalarAsync<bool>(
                "SELECT last_read_seq >= 2 AND left_at IS NOT NULL FROM participants WHERE conversation_id = @Id AND user_id = @User",
                new { Id = group.Value, User = bob.Value }),
            Is.True);
    }

    [Test]
    public async Task Sixty_four_reactions_to_one_message_in_one_batch_are_counted_one_after_the_other()
    {
        var users = await Slices.UsersAsync(64);
        var message = await Slices.TextAsync(users[0], await Slices.GroupAsync(users[0], [.. users.Skip(1)]));

        await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            users.Select(user => Slices.SendAsync(new React(new Actor(user), message.ConversationId, message.Id, "👍"))).ToList())));

        var shown = await Slices.SendAsync(new GetMessage(new Actor(users[0]), message.ConversationId, message.Id));
        Assert.That(shown.Reactions.Select(reaction => (reaction.Count, reaction.UserIds.Count)), Is.EqualTo(new[] { (64, 10) }));
        Assert.That(await CountsToldAsync(message), Is.EqualTo(Enumerable.Range(1, 64)));
    }

    [Test]
    public async Task A_pin_and_its_end_in_one_batch_are_decided_one_after_the_other()
    {
        var (ada, message) = await MessageAsync();
        string[] program = ["pin", "pin", "unpin", "unpin", "pin"];

        await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            program.Select(kind => ChangeAsync(kind, ada, message)).ToList())));

        Assert.That((await EventsAsync(message)).Count(type => type == "message:pinned"), Is.EqualTo(3));
        Assert.That((await Slices.SendAsync(new ListPins(new Actor(ada), message.ConversationId, null, 10))).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_message_and_what_others_do_in_one_batch_have_their_places_one_after_the_other()
    {
        var (ada, message) = await MessageAsync();

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            ChangeAsync("react", ada, message), Slices.TextAsync(ada, message.ConversationId), ChangeAsync("pin", ada, message),
        ])));

        Assert.That(await EventsAsync(message), Is.EqualTo(new[] { "message:new", "message:reaction", "message:new", "message:pinned" }));
        Assert.That(
            await Slices.ScalarAsync<bool>(
                """
                SELECT c.event_no = max(o.event_no) AND c.last_event_at = max(o.occurred_at) AND count(DISTINCT o.occurred_at) = 4
                FROM outbox o
                JOIN conversations c ON c.id = o.conversation_id
                WHERE c.id = @Id AND o.type LIKE 'message:%' AND o.event_no IS NOT NULL
                GROUP BY c.id
                """,
                new { Id = message.ConversationId.Value }),
            Is.True);
    }

    [Test]
    public async Task Of_an_edit_and_a_deletion_in_one_batch_the_second_is_decided_on_what_the_first_left()
    {
        var (ada, message) = await MessageAsync();

        var codes = await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(new[]
        {
            CodeAsync(() => EditAsync(ada, message, "edited")), CodeAsync(() => ChangeAsync("delete", ada, message)),
            CodeAsync(() => EditAsync(ada, message, "too late")),
        })));

        Assert.That(codes, Is.EqualTo(new[] { "", "", ProblemCodes.MessageDeleted }));
        Assert.That((await Slices.SendAsync(new GetOriginal(message.Id))).Text, Is.EqualTo("edited"));
        var left = await Slices.SendAsync(new GetMessage(new Actor(ada), message.ConversationId, message.Id));
        Assert.That((left.Text, left.Version, left.EditCount, left.Deleted is not null), Is.EqualTo(((string?)null, 3L, 1, true)));
    }

    [Test]
    public async Task Of_two_edits_of_one_version_in_one_batch_the_second_is_refused()
    {
        var (ada, message) = await MessageAsync();

        var codes = await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(new[]
        {
            CodeAsync(() => EditAsync(ada, message, "one", version: 1)), CodeAsync(() => EditAsync(ada, message, "two", version: 1)),
        })));

        Assert.That(codes, Is.EqualTo(new[] { "", ProblemCodes.VersionMismatch }));
        Assert.That((await Slices.SendAsync(new GetMessage(new Actor(ada), message.ConversationId, message.Id))).Text, Is.EqualTo("one"));
    }

    [Test]
    public async Task Edits_of_one_message_in_one_batch_keep_every_version()
    {
        var (ada, message) = await MessageAsync();

        await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            Enumerable.Range(0, 10).Select(i => EditAsync(ada, message, $"{i}")).ToList())));

        Assert.That(
            await Slices.SqlAsync(session => session.QueryAsync<string>(
                "SELECT text FROM message_edits WHERE conversation_id = @Id ORDER BY version", new { Id = message.ConversationId.Value },
                CancellationToken.None)),
            Is.EqualTo((string[])["hello", "0", "1", "2", "3", "4", "5", "6", "7", "8"]));
        Assert.That((await Slices.ViewAsync(ada, message.ConversationId)).LastMessage!.Text, Is.EqualTo("9"));
    }

    [Test]
    public async Task A_reaction_and_a_pin_before_a_deletion_in_one_batch_go_with_it_and_one_after_it_is_refused()
    {
        var (ada, message) = await MessageAsync();

        var codes = await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            new[] { "react", "pin", "delete", "react", "pin" }.Select(kind => CodeAsync(() => ChangeAsync(kind, ada, message))).ToList())));

        Assert.That(codes, Is.EqualTo(new[] { "", "", "", ProblemCodes.MessageDeleted, ProblemCodes.MessageDeleted }));
        Assert.That(
            await Slices.ScalarAsync<long>(
                """
                SELECT (SELECT count(*) FROM reactions WHERE conversation_id = @Id) + (SELECT count(*) FROM reaction_counts
                    WHERE conversation_id = @Id)
                    + (SELECT count(*) FROM pins WHERE conversation_id = @Id)
                """,
                new { Id = message.ConversationId.Value }),
            Is.Zero);
    }

    [Test]
    public async Task A_message_deleted_for_oneself_is_absent_to_later_changes_of_the_batch()
    {
        var (ada, message) = await MessageAsync();

        var codes = await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            new[] { "hide", "hide", "react" }.Select(kind => CodeAsync(() => ChangeAsync(kind, ada, message))).ToList())));

        Assert.That(codes, Is.EqualTo(new[] { "", ProblemCodes.NotFound, ProblemCodes.NotFound }));
    }

    [Test]
    public async Task A_message_after_an_edit_in_one_batch_is_the_preview_and_an_edit_after_it_is_not()
    {
        var (ada, message) = await MessageAsync();

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            EditAsync(ada, message, "before"), Slices.TextAsync(ada, message.ConversationId, "newest"), EditAsync(ada, message, "after"),
        ])));

        Assert.That((await Slices.ViewAsync(ada, message.ConversationId)).LastMessage!.Text, Is.EqualTo("newest"));
    }

    [TestCaseSource(nameof(OwnKinds))]
    public async Task Changes_of_ones_own_state_do_not_wait_for_the_conversation(string kind)
    {
        var (ada, message) = await MessageAsync();

        await HoldingAsync(message.ConversationId, LockSql, async () =>
        {
            await ChangeAsync(kind, ada, message);
            return true;
        });

        Assert.That(await OwnEventsAsync(message), Does.Contain("settings:updated"));
    }

    [TestCaseSource(nameof(OwnKinds))]
    public async Task Changes_of_ones_own_state_wait_only_for_the_own_row_and_not_for_ever(string kind)
    {
        var (held, free) = (await MessageAsync(), await MessageAsync());

        var problem = await HoldingAsync(held.Message.ConversationId, LockPlacesSql, async () =>
        {
            var waiting = ChangeAsync(kind, held.Ada, held.Message);
            for (var i = 0; i < 5; i++)
                await ChangeAsync(kind, free.Ada, free.Message);
            Assert.That(waiting.IsCompleted, Is.False);
            time.Advance(ConversationWriter.MaxWait);
            return await ProblemAsync(() => waiting);
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
        Assert.That(await OwnEventsAsync(held.Message), Does.Not.Contain("settings:updated"));
    }

    [Test]
    public async Task Settings_that_are_patched_in_one_batch_are_all_kept()
    {
        var (ada, message) = await MessageAsync();

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockPlacesSql, () => Task.FromResult<List<Task>>(
        [
            SetAsync(ada, message, new SettingsChange { CustomLabel = new("label"), Draft = new("draft") }),
            SetAsync(ada, message,
                new SettingsChange { Starred = new(true), MutedUntil = new(NodaTime.Instant.FromUtc(9999, 12, 31, 23, 59, 59)) }),
            SetAsync(ada, message, new SettingsChange { Draft = new(null) }),
        ])));

        var me = (await Slices.ViewAsync(ada, message.ConversationId)).Me!;
        Assert.That((me.CustomLabel, me.Draft, me.Starred, me.MutedUntil is not null), Is.EqualTo(("label", (string?)null, true, true)));
    }

    [Test]
    public async Task Who_hides_how_far_one_has_read_hides_what_is_read_after_it_in_its_batch()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockPlacesSql, () => Task.FromResult<List<Task>>(
        [
            SetAsync(bob, message, new SettingsChange { ShowReadReceipts = new(false) }),
            Slices.SendAsync(new MarkRead(new Actor(bob), message.ConversationId, null)),
        ])));

        Assert.That(
            await Slices.SqlAsync(session => session.QueryAsync<string?>(
                "SELECT user_id FROM outbox WHERE conversation_id = @Id AND type = 'message:read'",
                new { Id = message.ConversationId.Value }, CancellationToken.None)),
            Is.EqualTo(new[] { bob.Value }));
    }

    [Test]
    public async Task Of_reading_and_marking_as_unread_in_one_batch_the_last_one_stands_and_is_told_last()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        var (actor, id) = (new Actor(bob), message.ConversationId);
        await Slices.TextAsync(ada, id);

        var states = await Task.WhenAll(
            await HoldingAsync<List<Task<PointerState>>>(id, LockPlacesSql, () => Task.FromResult<List<Task<PointerState>>>(
        [
            Slices.SendAsync(new MarkRead(actor, id, 2)), Slices.SendAsync(new MarkUnread(actor, id, 1)),
            Slices.SendAsync(new MarkRead(actor, id, 1)),
        ])));

        var told = await Slices.SqlAsync(session => session.QueryAsync<(long Seq, bool Back)>(
            """
            SELECT (payload ->> 'seq')::bigint AS seq, payload ? 'markedUnread' AS back
            FROM outbox
            WHERE conversation_id = @Id AND type = 'message:read' AND user_id IS NULL
            ORDER BY occurred_at, event_no
            """,
            new { Id = id.Value }, CancellationToken.None));
        var folded = told.Aggregate(0L, (pointer, read) => read.Back ? read.Seq : Math.Max(pointer, read.Seq));
        var me = (await Slices.ViewAsync(bob, id)).Me!;
        Assert.That(told, Is.Not.Empty);
        Assert.That((me.LastReadSeq, me.UnreadCount), Is.EqualTo((folded, 2 - folded)));
        Assert.That(states, Has.Length.EqualTo(3));
    }

    [Test]
    public async Task A_reply_in_one_batch_quotes_what_the_changes_before_have_left()
    {
        var (ada, message) = await MessageAsync();

        var tasks = await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            ReplyAsync(ada, message), EditAsync(ada, message, "edited"), ReplyAsync(ada, message), ChangeAsync("delete", ada, message),
            ReplyAsync(ada, message),
        ]));

        await Task.WhenAll(tasks);
        var quotes = tasks.OfType<Task<SentMessage>>().Select(sent => sent.Result.Message.ReplyTo!);
        Assert.That(quotes.Select(quote => (quote.Preview, quote.Deleted)),
            Is.EqualTo(new[] { ("hello", false), ("edited", false), ((string?)null, true) }));
    }

    [Test]
    public async Task Sending_before_marking_as_unread_in_one_batch_does_not_undo_the_marking()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
            [Slices.TextAsync(bob, message.ConversationId), ChangeAsync("unread", bob, message)])));

        var me = (await Slices.ViewAsync(bob, message.ConversationId)).Me!;
        Assert.That((me.LastReadSeq, me.UnreadCount), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task Sending_after_marking_as_unread_in_one_batch_reads_all_before_it()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var message = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
            [ChangeAsync("unread", bob, message), Slices.TextAsync(bob, message.ConversationId)])));

        var me = (await Slices.ViewAsync(bob, message.ConversationId)).Me!;
        Assert.That((me.LastReadSeq, me.UnreadCount), Is.EqualTo((2, 0)));
    }

    protected override void Add(IServiceCollection services) => services.AddSingleton<TimeProvider>(time);

    [Test]
    public async Task Delivery_beyond_the_read_message_in_one_batch_is_told_separately()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var first = await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        var (actor, id) = (new Actor(bob), first.ConversationId);
        await Slices.TextAsync(ada, id);

        await Task.WhenAll(await HoldingAsync<List<Task>>(id, LockPlacesSql, () => Task.FromResult<List<Task>>(
            [Slices.SendAsync(new MarkRead(actor, id, 1)), Slices.SendAsync(new MarkDelivered(actor, id, 2))])));

        Assert.That(
            await Slices.SqlAsync(session => session.QueryAsync<string>(
                """
                SELECT DISTINCT concat(type, ' ', payload ->> 'seq')
                FROM outbox
                WHERE conversation_id = @Id AND type IN ('message:read', 'message:delivered') AND user_id IS NULL
                """,
                new { Id = id.Value }, CancellationToken.None)),
            Is.SupersetOf(new[] { "message:delivered 2", "message:read 1" }));
    }

    [Test]
    public async Task In_a_large_group_the_author_hears_of_a_message_that_was_read_in_the_batch_in_which_it_was_sent()
    {
        var users = await Slices.UsersAsync(31);
        var id = (await Slices.TextAsync(users[0], await Slices.GroupAsync(users[0], [.. users.Skip(1)]))).ConversationId;

        var (sending, reading) = await HoldingAsync(id, LockPlacesSql, () => Task.FromResult(
            (Slices.TextAsync(users[1], id), Slices.SendAsync(new MarkRead(new Actor(users[2]), id, null)))));

        var author = (await reading).LastReadSeq == (await sending).Seq ? users[1] : users[0];
        Assert.That(
            await Slices.SqlAsync(session => session.QueryAsync<string>(
                "SELECT user_id FROM outbox WHERE conversation_id = @Id AND type = 'message:read'", new { Id = id.Value },
                CancellationToken.None)),
            Does.Contain(author.Value));
    }

    [Test]
    public async Task Whoever_sends_has_read_what_was_sent_before_in_the_same_batch()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.DirectAsync(ada, bob);

        await Task.WhenAll(
            await HoldingAsync(id, LockSql, () => Task.FromResult<List<Task>>([Slices.TextAsync(ada, id), Slices.TextAsync(bob, id)])));

        var marks = await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM read_marks WHERE conversation_id = @Id AND seq = 1", new { Id = id.Value });
        var told = await Slices.ScalarAsync<long>(
            "SELECT count(*) FROM outbox WHERE conversation_id = @Id AND type = 'unread:changed'", new { Id = id.Value });
        Assert.That((marks, told), Is.EqualTo((1, 1)));
    }

    private Task ChangeAsync(string kind, UserId user, MessageView message)
    {
        var (actor, id) = (new Actor(user), message.ConversationId);
        return kind switch
        {
            "react" => Slices.SendAsync(new React(actor, id, message.Id, "👍")),
            "unreact" => Slices.SendAsync(new Unreact(actor, id, message.Id, "👍")),
            "pin" => Slices.SendAsync(new PinMessage(actor, id, message.Id)),
            "unpin" => Slices.SendAsync(new UnpinMessage(actor, id, message.Id)),
            "edit" => EditAsync(user, message, "edited"),
            "delete" => Slices.SendAsync(new DeleteMessage(actor, id, message.Id, DeleteScope.Everyone, null, null)),
            "unread" => Slices.SendAsync(new MarkUnread(actor, id, message.Seq)),
            "clear" => Slices.SendAsync(new ClearHistory(actor, id, LeavesInbox: false)),
            "settings" => SetAsync(user, message, new SettingsChange { Starred = new(true) }),
            "hide" => Slices.SendAsync(new DeleteMessage(actor, id, message.Id, DeleteScope.Me, null, null)),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, message: null),
        };
    }

    private Task<MessageView> EditAsync(UserId user, MessageView message, string text, long? version = null) =>
        Slices.SendAsync(new EditMessage(
        new Actor(user), message.ConversationId, message.Id, version is { } only ? [only] : null, new(text), default, default));

    private Task<SentMessage> ReplyAsync(UserId user, MessageView message) => Slices.SendAsync(
        new SendMessage(new Actor(user), message.ConversationId, new MessageContent(Text: "reply", ReplyToId: message.Id)));

    private Task<SettingsView> SetAsync(UserId user, MessageView message, SettingsChange change) =>
        Slices.SendAsync(new UpdateSettings(new Actor(user), message.ConversationId, change));

    private Task<List<string>> OwnEventsAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type FROM outbox WHERE conversation_id = @Id AND event_no IS NULL", new { Id = message.ConversationId.Value },
        CancellationToken.None));

    private async Task<(UserId Ada, MessageView Message)> MessageAsync()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        return (ada, await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob)));
    }

    private Task<List<string>> EventsAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type FROM outbox WHERE conversation_id = @Id AND event_no IS NOT NULL AND user_id IS NULL AND type LIKE 'message:%' "
            + "ORDER BY event_no",
        new { Id = message.ConversationId.Value }, CancellationToken.None));

    private Task<List<int>> CountsToldAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<int>(
        "SELECT (payload ->> 'count')::integer FROM outbox WHERE conversation_id = @Id AND type = 'message:reaction' ORDER BY event_no",
        new { Id = message.ConversationId.Value }, CancellationToken.None));

    private sealed class Archiving(ConversationId id, UserId user) : OwnChange(id, user, recounts: false)
    {
        protected override OwnState Apply(OwnState state, Conversation conversation, ChangeSet set) =>
            state.Archive(archived: true, conversation.LastSeq);
    }
}
