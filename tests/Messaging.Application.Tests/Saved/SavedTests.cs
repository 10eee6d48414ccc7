using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Saved;
using Messaging.Domain.Common;
using Messaging.Domain.Saved;
using Messaging.Testing;

namespace Messaging.Application.Tests.Saved;

public sealed class SavedTests : SliceFixture
{
    private const int Rounds = 10;

    [Test]
    public async Task A_message_is_saved_once_listed_and_taken_out()
    {
        var (users, messages) = await GroupAsync(messages: 2);

        var put = await SaveAsync(users[1], messages[0]);
        var again = await SaveAsync(users[1], messages[0]);
        await SaveAsync(users[1], messages[1]);

        Assert.That((put.Created, again.Created, again.Value.SavedAt), Is.EqualTo((true, false, put.Value.SavedAt)));
        Assert.That(await ListAsync(users[1]), Is.EqualTo(new[] { messages[1].Id, messages[0].Id }));
        await UnsaveAsync(users[1], messages[0]);
        await UnsaveAsync(users[1], messages[0]);
        Assert.That(await ListAsync(users[1]), Is.EqualTo(new[] { messages[1].Id }));
        Assert.That(await EventsAsync(users[1]), Is.EqualTo(new[] { "2 true", "3 true", "2 false" }));
    }

    [Test]
    public async Task Whether_it_is_saved_is_in_ones_own_view_alone()
    {
        var (users, messages) = await GroupAsync(messages: 2);
        var put = await SaveAsync(users[1], messages[0]);

        Assert.That((messages[0].Saved, put.Value.Message.Saved), Is.EqualTo(((bool?)false, (bool?)true)));
        Assert.That(await ShownAsync(new Actor(users[1])), Is.EqualTo(new bool?[] { true, false }));
        Assert.That(await ShownAsync(new Actor(users[0])), Is.EqualTo(new bool?[] { false, false }));
        Assert.That(await ShownAsync(Actor.Service), Is.EqualTo(new bool?[] { null, null }));
        Assert.That(await ListAsync(users[0]), Is.Empty);
        Assert.That(await EventsAsync(users[0]), Is.Empty);

        async Task<IEnumerable<bool?>> ShownAsync(Actor viewer)
        {
            var page = await Slices.SendAsync(new ListMessages(viewer, messages[0].ConversationId, null, null, null, 2));
            return page.Items.Select(message => message.Saved);
        }
    }

    [Test]
    public async Task A_message_deleted_for_everyone_is_saved_by_nobody_and_cannot_be_saved_again()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        foreach (var user in users)
            await SaveAsync(user, messages[0]);

        await DeleteAsync(users[0], messages[0], DeleteScope.Everyone);

        Assert.That(await RowsAsync(messages[0]), Is.Zero);
        Assert.That(await RefusalAsync(() => SaveAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.MessageDeleted));
        Assert.That(await CodeAsync(() => UnsaveAsync(users[1], messages[0])), Is.Empty);
    }

    [Test]
    public async Task Deleting_a_message_for_oneself_unsaves_it_for_nobody_else()
    {
        var (users, messages) = await GroupAsync(messages: 2);
        foreach (var (user, message) in users.SelectMany(user => messages.Select(message => (user, message))))
            await SaveAsync(user, message);

        await DeleteAsync(users[1], messages[0], DeleteScope.Me);

        Assert.That(await ListAsync(users[1]), Is.EqualTo(new[] { messages[1].Id }));
        Assert.That(await RowsAsync(messages[0]), Is.EqualTo(3));
        Assert.That(await RefusalAsync(() => SaveAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.NotFound));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Clearing_unsaves_messages_for_nobody_else(bool leavesInbox)
    {
        var (users, messages) = await GroupAsync(messages: 1);
        foreach (var user in users)
            await SaveAsync(user, messages[0]);

        await Slices.SendAsync(new ClearHistory(new Actor(users[1]), messages[0].ConversationId, leavesInbox));
        var later = await Slices.TextAsync(users[0], messages[0].ConversationId);
        await SaveAsync(users[1], later);

        Assert.That(await ListAsync(users[1]), Is.EqualTo(new[] { later.Id }));
        Assert.That(await RowsAsync(later), Is.EqualTo(2));
        Assert.That(await RefusalAsync(() => UnsaveAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task Settings_of_ones_own_leave_what_is_saved([Values] bool archived)
    {
        var (users, messages) = await GroupAsync(messages: 1);
        await SaveAsync(users[1], messages[0]);

        await Slices.SendAsync(new UpdateSettings(
            new Actor(users[1]), messages[0].ConversationId, new SettingsChange { Starred = new(true), Archived = new(archived) }));

        Assert.That(await ListAsync(users[1]), Is.EqualTo(new[] { messages[0].Id }));
    }

    [TestCase("leave")]
    [TestCase("remove")]
    [TestCase("ban")]
    public async Task Who_goes_has_nothing_saved_there_also_on_coming_back(string how)
    {
        var (users, messages) = await GroupAsync(messages: 1);
        foreach (var user in users)
            await SaveAsync(user, messages[0]);
        var id = messages[0].ConversationId;

        await DepartAsync(how, users, id);
        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That(await RowsAsync(messages[0]), Is.EqualTo(1));
        if (how == "ban")
            await Slices.SendAsync(new UnbanParticipant(new Actor(users[0]), id, users[1]));
        await Slices.SendAsync(new AddParticipants(Actor.Service, id, [users[1]], Domain.Participants.ParticipantRole.Member));

        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That((await SaveAsync(users[1], messages[0])).Created, Is.True);
    }

    [Test]
    public async Task Messages_saved_in_a_deleted_conversation_are_not_listed()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        await SaveAsync(users[1], messages[0]);

        await Slices.SendAsync(new DeleteConversation(new Actor(users[0]), messages[0].ConversationId));

        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That(await RefusalAsync(() => SaveAsync(users[1], messages[0])), Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task A_message_that_is_absent_elsewhere_or_hidden_from_the_user_is_refused_in_the_same_way()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        var (others, elsewhere) = await GroupAsync(messages: 1);
        (UserId User, MessageView Message)[] tries =
        [
            (others[0], messages[0]), (users[0], messages[0] with { Id = elsewhere[0].Id }),
            (users[0], messages[0] with { Id = new MessageId(Guid.CreateVersion7()) }),
        ];

        var problems = new List<Problem>();
        foreach (var (user, message) in tries)
            problems.AddRange([await ProblemAsync(() => SaveAsync(user, message)), await ProblemAsync(() => UnsaveAsync(user, message))]);

        Assert.That(problems.Distinct(), Is.EqualTo(new[] { CommonErrors.NotFound().Problem }));
    }

    // Put out as the saving is committed, and before it is looked at.
    [Test]
    public async Task Who_goes_in_the_middle_of_saving_is_shown_nothing()
    {
        await using var slices = await Slices.StartAsync();
        var users = await slices.UsersAsync(2);
        var message = await slices.TextAsync(users[0], await slices.GroupAsync(users[0], users[1]));
        await slices.ExecuteAsync(
            """
            CREATE FUNCTION put_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE participants SET left_at = now() WHERE conversation_id = NEW.conversation_id AND user_id = NEW.user_id;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER put_out AFTER INSERT ON saved_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            EXECUTE FUNCTION put_out()
            """);

        Assert.That(
            await RefusalAsync(() => slices.SendAsync(new SaveMessage(new Actor(users[1]), message.ConversationId, message.Id))),
            Is.EqualTo(ProblemCodes.NotFound));
    }

    [Test]
    public async Task Twenty_at_once_are_one()
    {
        var (users, messages) = await GroupAsync(messages: 1);

        var puts = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => SaveAsync(users[1], messages[0]))));

        Assert.That(puts.Count(put => put.Created), Is.EqualTo(1));
        Assert.That(puts.Select(put => put.Value.SavedAt).Distinct().Count(), Is.EqualTo(1));
        Assert.That(await EventsAsync(users[1]), Is.EqualTo(new[] { "2 true" }));
    }

    [Test]
    public async Task Saving_and_its_end_in_one_batch_are_decided_one_after_the_other()
    {
        var (users, messages) = await GroupAsync(messages: 1);

        await Task.WhenAll(await HoldingAsync<List<Task>>(messages[0].ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            SaveAsync(users[1], messages[0]), UnsaveAsync(users[1], messages[0]), SaveAsync(users[0], messages[0]),
            SaveAsync(users[1], messages[0]),
        ])));

        Assert.That(await EventsAsync(users[1]), Is.EqualTo(new[] { "2 true", "2 false", "2 true" }));
        Assert.That(await RowsAsync(messages[0]), Is.EqualTo(2));
    }

    [Test]
    public async Task Nothing_is_saved_of_what_is_deleted_meanwhile()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, messages) = await GroupAsync(messages: 1);

            await Task.WhenAll(
                Task.Run(() => CodeAsync(() => SaveAsync(users[1], messages[0]))),
                Task.Run(() => DeleteAsync(users[0], messages[0], DeleteScope.Everyone)),
                Task.Run(() => CodeAsync(() => SaveAsync(users[0], messages[0]))));

            Assert.That(await RowsAsync(messages[0]), Is.Zero);
        }
    }

    [TestCase("leave")]
    [TestCase("remove")]
    [TestCase("clear")]
    [TestCase("hide")]
    public async Task Nothing_stays_saved_of_what_goes_out_of_sight_meanwhile(string how)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (users, messages) = await GroupAsync(messages: 1);

            var codes = await Task.WhenAll(
                Task.Run(() => CodeAsync(() => SaveAsync(users[1], messages[0]))),
                Task.Run(() => CodeAsync(() => GoAsync(how, users, messages[0]))),
                Task.Run(() => CodeAsync(() => SaveAsync(users[1], messages[0]))));

            Assert.That(codes, Is.All.AnyOf("", ProblemCodes.NotFound));
            Assert.That(await RowsAsync(messages[0]), Is.Zero);
        }
    }

    [TestCase("leave")]
    [TestCase("clear")]
    [TestCase("hide")]
    public async Task Nor_of_what_goes_out_of_sight_in_the_same_batch(string how)
    {
        var (users, messages) = await GroupAsync(messages: 1);

        await Task.WhenAll(await HoldingAsync<List<Task>>(messages[0].ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            CodeAsync(() => SaveAsync(users[1], messages[0])), GoAsync(how, users, messages[0]),
            CodeAsync(() => SaveAsync(users[1], messages[0])),
        ])));

        Assert.That(await RowsAsync(messages[0]), Is.Zero);
    }

    [Test]
    public async Task One_saves_ten_thousand_also_in_several_conversations_at_once()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        var others = new List<MessageView>();
        for (var i = 0; i < 7; i++)
            others.Add(await Slices.TextAsync(users[1], await Slices.GroupAsync(users[1], users[0])));
        await Slices.ExecuteAsync(
            """
            INSERT INTO saved_messages (conversation_id, user_id, seq, sent_at, saved_at)
            SELECT gen_random_uuid(), @User, 1, now(), now() FROM generate_series(1, @Count)
            """,
            new { User = users[1].Value, Count = SavedMessages.Limit - 1 });

        for (var round = 0; round < Rounds; round++)
        {
            var codes = await Task.WhenAll(
                messages.Concat(others).Select(message => Task.Run(() => CodeAsync(() => SaveAsync(users[1], message)))));
            Assert.That(codes.Order(), Is.EqualTo(new[] { "" }.Concat(Enumerable.Repeat(ProblemCodes.LimitReached, 7))));
            foreach (var message in messages.Concat(others))
                await UnsaveAsync(users[1], message);
        }
        Assert.That((await SaveAsync(users[0], messages[0])).Created, Is.True);
    }

    [Test]
    public async Task Messages_saved_in_a_deleted_conversation_do_not_count()
    {
        var (users, messages) = await GroupAsync(messages: 1);
        var other = await Slices.TextAsync(users[0], await Slices.GroupAsync(users[0], users[1]));
        await Slices.ExecuteAsync(
            """
            INSERT INTO saved_messages (conversation_id, user_id, seq, sent_at, saved_at)
            SELECT @Id, @User, n, now(), now() FROM generate_series(1, @Count) AS n
            """,
            new { Id = other.ConversationId.Value, User = users[1].Value, Count = SavedMessages.Limit });

        var before = await CodeAsync(() => SaveAsync(users[1], messages[0]));
        await Slices.SendAsync(new DeleteConversation(new Actor(users[0]), other.ConversationId));

        Assert.That((before, await CodeAsync(() => SaveAsync(users[1], messages[0]))), Is.EqualTo((ProblemCodes.LimitReached, "")));
    }

    [TestCase("SELECT FROM users WHERE id = @User FOR UPDATE")]
    [TestCase("SELECT FROM users WHERE id = @User FOR NO KEY UPDATE")]
    [TestCase("SELECT pg_advisory_xact_lock(hashtextextended('messaging:saved:' || @User, 0))")]
    public async Task Who_holds_somebodys_rows_delays_what_that_one_saves_and_nothing_else_of_the_conversation(string sql)
    {
        var (users, messages) = await GroupAsync(messages: 2);
        await using var connection = await Slices.OpenAsync();
        await using var held = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(sql, new { User = users[1].Value }, held);

        var saving = SaveAsync(users[1], messages[0]);
        for (var i = 0; i < 5; i++)
        {
            await Slices.TextAsync(users[0], messages[0].ConversationId);
            await SaveAsync(users[0], messages[i % 2]);
        }
        await held.RollbackAsync();

        Assert.That((await saving).Created, Is.True);
    }

    // Each deletes both rows, and one of them is held by a third one: the other one is not taken before it.
    [Test]
    public async Task Saved_messages_are_locked_in_one_order_whoever_removes_them([Values] bool clears)
    {
        var (users, messages) = await GroupAsync(messages: 2);
        foreach (var message in messages)
            await SaveAsync(users[1], message);
        await using var connection = await Slices.OpenAsync();
        await using var held = await connection.BeginTransactionAsync();
        await LockAsync(messages[0], "FOR UPDATE");

        var deleting = await HoldingAsync<List<Task>>(messages[0].ConversationId, LockSql, () => Task.FromResult<List<Task>>(
            clears
                ? [GoAsync("clear", users, messages[0])]
                : [DeleteAsync(users[0], messages[1], DeleteScope.Everyone), DeleteAsync(users[0], messages[0], DeleteScope.Everyone)]));
        await Slices.UntilAsync(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");

        Assert.That(() => LockAsync(messages[1], "FOR UPDATE NOWAIT"), Throws.Nothing);
        await held.RollbackAsync();
        await Task.WhenAll(deleting);
        Assert.That(await RowsAsync(messages[0]), Is.Zero);

        Task<int> LockAsync(MessageView message, string how) => connection.ExecuteAsync(
            $"SELECT FROM saved_messages WHERE conversation_id = @Id AND seq = @Seq {how}",
            new { Id = message.ConversationId.Value, message.Seq }, held);
    }

    [Test]
    public async Task The_list_comes_in_pages_of_all_conversations_the_newest_saved_first()
    {
        var (users, messages) = await GroupAsync(messages: 3);
        var direct = await Slices.TextAsync(users[0], await Slices.DirectAsync(users[0], users[1]));
        MessageView[] order = [messages[2], direct, messages[0], messages[1]];
        foreach (var message in order)
            await SaveAsync(users[1], message);

        var (ids, cursor) = (new List<MessageId>(), (string?)null);
        do
        {
            var page = await Slices.SendAsync(new ListSaved(new Actor(users[1]), cursor, 1));
            ids.AddRange(page.Items.Select(item => item.Message.Id));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(ids, Is.EqualTo(order.Reverse().Select(message => message.Id)));
    }

    private Task GoAsync(string how, IReadOnlyList<UserId> users, MessageView message) => how switch
    {
        "clear" => Slices.SendAsync(new ClearHistory(new Actor(users[1]), message.ConversationId, LeavesInbox: false)),
        "hide" => DeleteAsync(users[1], message, DeleteScope.Me),
        _ => DepartAsync(how, users, message.ConversationId),
    };

    private Task DepartAsync(string how, IReadOnlyList<UserId> users, ConversationId id) => how switch
    {
        "leave" => Slices.SendAsync(new LeaveConversation(new Actor(users[1]), id)),
        "remove" => Slices.SendAsync(new RemoveParticipant(new Actor(users[0]), id, users[1])),
        _ => Slices.SendAsync(new BanParticipant(new Actor(users[0]), id, users[1])),
    };

    private async Task<(IReadOnlyList<UserId> Users, IReadOnlyList<MessageView> Messages)> GroupAsync(int messages)
    {
        var users = await Slices.UsersAsync(2);
        var id = await Slices.GroupAsync(users[0], users[1]);
        var sent = new List<MessageView>();
        for (var i = 0; i < messages; i++)
            sent.Add(await Slices.TextAsync(users[0], id));
        return (users, sent);
    }

    private Task<Upserted<SavedView>> SaveAsync(UserId user, MessageView message) =>
        Slices.SendAsync(new SaveMessage(new Actor(user), message.ConversationId, message.Id));

    private Task<Application.Common.Done> UnsaveAsync(UserId user, MessageView message) =>
        Slices.SendAsync(new UnsaveMessage(new Actor(user), message.ConversationId, message.Id));

    private Task<Application.Common.Done> DeleteAsync(UserId user, MessageView message, DeleteScope scope) =>
        Slices.SendAsync(new DeleteMessage(new Actor(user), message.ConversationId, message.Id, scope, null, null));

    private async Task<IEnumerable<MessageId>> ListAsync(UserId user) =>
        (await Slices.SendAsync(new ListSaved(new Actor(user), null, 100))).Items.Select(item => item.Message.Id);

    private Task<long> RowsAsync(MessageView message) => Slices.ScalarAsync<long>(
        "SELECT count(*) FROM saved_messages WHERE conversation_id = @Id", new { Id = message.ConversationId.Value });

    private Task<List<string>> EventsAsync(UserId user) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT seq || ' ' || (payload ->> 'saved') FROM outbox WHERE user_id = @User AND type = 'message:saved' ORDER BY event_no",
        new { User = user.Value }, CancellationToken.None));
}
