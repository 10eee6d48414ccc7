using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Testing;

namespace Messaging.Application.Tests.Messages;

public sealed class DeleteMessageTests : SliceFixture
{
    // The brute force: every message of others after the pointer that is neither a system message, nor deleted, nor hidden by oneself.
    private const string RecountSql =
        """
        SELECT count(*) || ' ' || count(*) FILTER (WHERE m.mentions && ARRAY[@User, '@all'])
        FROM messages m
        JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = @User AND p.left_at IS NULL
        WHERE m.conversation_id = @Id AND m.seq > greatest(p.last_read_seq, p.cleared_seq) AND m.type <> 'system' AND m.deleted_at IS NULL
            AND m.sender_id IS DISTINCT FROM @User AND NOT EXISTS (
                SELECT FROM message_hidden h
                WHERE h.conversation_id = m.conversation_id AND h.user_id = @User AND h.seq = m.seq)
        """;

    // Of the two deletions that one alone is told, since the message is hidden by then.
    [Test]
    public async Task Who_deletes_for_oneself_what_was_deleted_for_everyone_is_told_what_is_unread()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var message = await Slices.TextAsync(ada, id);
        await Slices.SendAsync(new DeleteMessage(new Actor(ada), id, message.Id, DeleteScope.Everyone, Reason: null, Versions: null));

        await Slices.SendAsync(new DeleteMessage(new Actor(bob), id, message.Id, DeleteScope.Me, Reason: null, Versions: null));

        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM outbox WHERE type = 'unread:changed' AND user_id = @Bob", new { Bob = bob.Value }),
            Is.EqualTo(1));
    }

    [Test]
    public async Task A_tombstone_keeps_its_place_and_nothing_else()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[0], id, new MessageContent(
            Type: MessageType.Location, Text: "secret", Metadata: new JsonText("""{"a":"secret"}"""), Mentions: [users[1]],
            Location: new MessageLocation(1, 2, "secret")));
        await Slices.SendAsync(new React(new Actor(users[1]), id, sent.Id, "👍"));
        var reply = await SendAsync(users[1], id, new MessageContent(Text: "re", ReplyToId: sent.Id));

        await DeleteAsync(users[0], sent);
        var tombstone = await GetAsync(users[1], sent);

        Assert.That((tombstone.Seq, tombstone.Version, tombstone.Deleted!.By, tombstone.Deleted.Reason),
            Is.EqualTo((sent.Seq, 2L, (UserId?)users[0], DeleteReason.User)));
        Assert.That(
            (tombstone.Text, tombstone.Metadata, tombstone.Location), Is.EqualTo(((string?)null, (JsonText?)null, (MessageLocation?)null)));
        Assert.That((tombstone.Mentions, tombstone.Reactions), Is.EqualTo((Array.Empty<UserId>(), Array.Empty<ReactionView>())));
        Assert.That((await GetAsync(users[2], reply)).ReplyTo, Is.EqualTo(new ReplyView(sent.Id, sent.Seq, users[0], null, Deleted: true)));
    }

    [Test]
    public async Task The_last_message_is_shown_as_deleted_until_another_comes()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[0], id, new MessageContent(Text: "secret"));

        await DeleteAsync(users[0], sent);
        var preview = (await Slices.ViewAsync(users[1], id)).LastMessage!;
        await SendAsync(users[0], id, new MessageContent(Text: "next"));

        Assert.That((preview.Id, preview.Text, preview.Deleted), Is.EqualTo((sent.Id, (string?)null, true)));
        Assert.That((await Slices.ViewAsync(users[1], id)).LastMessage!.Deleted, Is.False);
    }

    [Test]
    public async Task The_author_deletes_for_a_while_an_admin_and_the_service_at_any_time_and_others_never()
    {
        var (users, id) = await GroupAsync(new PolicyChange { DeleteWindowSeconds = new(0) });
        var sent = await SendAsync(users[1], id, new MessageContent(Text: "one"));
        var other = await SendAsync(users[1], id, new MessageContent(Text: "two"));

        Assert.That(await RefusalAsync(() => DeleteAsync(users[2], sent)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => DeleteAsync(users[1], sent)), Is.EqualTo(ProblemCodes.DeleteWindowPassed));
        await DeleteAsync(users[0], sent, DeleteReason.Spam);
        await Slices.SendAsync(new DeleteMessage(Actor.Service, id, other.Id, DeleteScope.Everyone, null, null));

        Assert.That(((await GetAsync(users[1], sent)).Deleted!.By, (await GetAsync(users[1], sent)).Deleted!.Reason),
            Is.EqualTo(((UserId?)users[0], DeleteReason.Spam)));
        Assert.That(((await GetAsync(users[1], other)).Deleted!.By, (await GetAsync(users[1], other)).Deleted!.Reason),
            Is.EqualTo(((UserId?)null, DeleteReason.Moderation)));
    }

    [Test]
    public async Task In_a_direct_conversation_nobody_deletes_for_the_other_and_the_service_deletes_what_is_closed()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var sent = await SendAsync(ada, await Slices.DirectAsync(ada, bob), new MessageContent(Text: "one"));

        Assert.That(await RefusalAsync(() => DeleteAsync(bob, sent)), Is.EqualTo(ProblemCodes.NotAllowed));
        await Slices.SendAsync(new CloseConversation(new Actor(ada), sent.ConversationId, CloseReason.Manual, null));
        Assert.That(await RefusalAsync(() => DeleteAsync(ada, sent)), Is.EqualTo(ProblemCodes.ConversationClosed));
        await Slices.SendAsync(
            new DeleteMessage(Actor.Service, sent.ConversationId, sent.Id, DeleteScope.Everyone, DeleteReason.Abuse, null));
        Assert.That((await GetAsync(bob, sent)).Deleted!.Reason, Is.EqualTo(DeleteReason.Abuse));
    }

    [Test]
    public async Task Deleting_twice_is_deleting_once_and_what_is_deleted_takes_nothing_more()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[1], id, new MessageContent(Text: "one"));

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => DeleteAsync(users[i % 2], sent))));

        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM outbox WHERE type = 'message:deleted' AND conversation_id = @Id", new { Id = id.Value }),
            Is.EqualTo(1));
        Assert.That(await RefusalAsync(() => EditAsync(users[1], sent, [])), Is.EqualTo(ProblemCodes.MessageDeleted));
        Assert.That(await RefusalAsync(() => Slices.SendAsync(new React(new Actor(users[1]), id, sent.Id, "👍"))),
            Is.EqualTo(ProblemCodes.MessageDeleted));
        Assert.That(
            await RefusalAsync(
                () => Slices.SendAsync(new DeleteMessage(new Actor(users[1]), id, sent.Id, DeleteScope.Everyone, null, [1]))),
            Is.EqualTo(ProblemCodes.VersionMismatch));
    }

    [Test]
    public async Task An_edit_and_a_deletion_at_once_leave_a_tombstone_without_text()
    {
        var (users, id) = await GroupAsync();
        for (var i = 0; i < 20; i++)
        {
            var sent = await SendAsync(users[1], id, new MessageContent(Text: "one", Mentions: [users[2]]));
            await Task.WhenAll(
                Task.Run(() => CodeAsync(() => EditAsync(users[1], sent, [users[0]]))), Task.Run(() => DeleteAsync(users[0], sent)),
                Task.Run(() => CodeAsync(() => Slices.SendAsync(new React(new Actor(users[2]), id, sent.Id, "👍")))));
        }

        Assert.That(
            await Slices.ScalarAsync<long>(
                """
                SELECT (SELECT count(*) FROM messages WHERE conversation_id = @Id AND (text IS NOT NULL OR mentions IS NOT NULL))
                    + (SELECT count(*) FROM mentions WHERE conversation_id = @Id) + (SELECT count(*) FROM reaction_counts
                        WHERE conversation_id = @Id)
                """,
                new { Id = id.Value }),
            Is.Zero);
    }

    [Test]
    public async Task A_moderator_sees_the_original_and_its_versions_and_nobody_else_does()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[1], id, new MessageContent(Text: "one", Mentions: [users[2]]));
        await EditAsync(users[1], sent, [users[0]]);
        await Slices.SendAsync(new EditMessage(new Actor(users[1]), id, sent.Id, null, new("two"), default, default));

        await DeleteAsync(users[1], sent);
        var original = await Slices.SendAsync(new GetOriginal(sent.Id));

        Assert.That((original.Text, original.Mentions, original.Deleted is null), Is.EqualTo(("two", new[] { users[0] }, false)));
        Assert.That(await EditsAsync(Actor.Service), Is.EqualTo(new[] { "one", "one" }));
        Assert.That(await EditsAsync(new Actor(users[1])), Is.Empty);
        Assert.That(await RefusalAsync(() => Slices.SendAsync(new GetOriginal(new MessageId(Guid.CreateVersion7())))),
            Is.EqualTo(ProblemCodes.NotFound));

        async Task<IEnumerable<string?>> EditsAsync(Actor actor) =>
            (await Slices.SendAsync(new ListEdits(actor, id, sent.Id, null, 30))).Items.Select(edit => edit.Text);
    }

    [Test]
    public async Task A_message_deleted_for_oneself_is_absent_for_nobody_else()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[0], id, new MessageContent(Text: "one", Mentions: [users[1]]));
        var reply = await SendAsync(users[0], id, new MessageContent(Text: "re", ReplyToId: sent.Id));

        await HideAsync(users[1], sent);

        Assert.That(await RefusalAsync(() => GetAsync(users[1], sent)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await RefusalAsync(() => HideAsync(users[1], sent)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await SeqsAsync(users[1], id), Is.EqualTo(new[] { 1, reply.Seq }));
        Assert.That((await GetAsync(users[1], reply)).ReplyTo, Is.Null);
        Assert.That(await RefusalAsync(() => SendAsync(users[1], id, new MessageContent(Text: "re", ReplyToId: sent.Id))),
            Is.EqualTo(ProblemCodes.InvalidRequest));
        Assert.That(await SeqsAsync(users[2], id), Is.EqualTo(new[] { 1, sent.Seq, reply.Seq }));
        Assert.That(await CountsAsync(users[1], id), Is.EqualTo("1 0"));
        await HideAsync(users[1], reply);
        Assert.That((await Slices.ViewAsync(users[1], id)).LastMessage, Is.Null);
        Assert.That((await Slices.ViewAsync(users[2], id)).LastMessage!.Text, Is.EqualTo("re"));
    }

    [Test]
    public async Task Only_ones_own_devices_hear_of_what_one_deletes_for_oneself()
    {
        var (users, id) = await GroupAsync();
        var sent = await SendAsync(users[0], id, new MessageContent(Text: "one"));

        await HideAsync(users[1], sent);
        await HideAsync(users[0], sent);

        Assert.That(
            await Slices.SqlAsync(session => session.QueryAsync<string>(
                """
                SELECT concat_ws(' ', type, user_id, seq, payload #>> '{deleted,scope}', payload ->> 'text')
                FROM outbox
                WHERE conversation_id = @Id AND type IN ('message:deleted', 'unread:changed')
                ORDER BY occurred_at, event_no
                """,
                new { Id = id.Value }, CancellationToken.None)),
            Is.EqualTo(new[] { $"message:deleted {users[1]} {sent.Seq} me", $"unread:changed {users[1]}",
                $"message:deleted {users[0]} {sent.Seq} me" }));
    }

    [Test]
    public async Task The_waiting_first_message_may_be_withdrawn()
    {
        await using var slices = await Testing.Slices.StartAsync(
            services => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions
            .AddSingleton(services, new PolicySettings { DirectMessages = DirectMessages.Requests }));
        var (ada, bob) = (await slices.UserAsync(), await slices.UserAsync());
        var sent = await slices.TextAsync(ada, await slices.DirectAsync(ada, bob), "secret");

        await slices.SendAsync(new DeleteMessage(new Actor(ada), sent.ConversationId, sent.Id, DeleteScope.Everyone, null, null));
        var request = (await slices.SendAsync(
            new Application.Contacts.ListRequests(
                new Actor(bob), Application.Contacts.RequestDirection.In, null, null, 30))).Items.Single();

        Assert.That((request.Message!.Text, request.Message.Deleted), Is.EqualTo(((string?)null, true)));
    }

    [Test]
    public async Task Unread_equals_a_recount_under_random_edits_and_deletions()
    {
        var deleted = 0L;
        await Gen.Select(Gen.Int[0, 13], Gen.Int[0, 2], Gen.Int[1, 60], (kind, who, seq) => (kind, who, seq))
            .CheckAsync(length: 600, cases: 1, async program => deleted += await EqualsARecountAsync(program));

        Assert.That(deleted, Is.GreaterThan(3));
    }

    private async Task<long> EqualsARecountAsync((int Kind, int Who, int Seq)[] program)
    {
        var (users, id) = await GroupAsync();
        var sent = new Dictionary<long, MessageView>();

        foreach (var batch in program.Chunk(6))
        {
            await Task.WhenAll(batch.Select(step => Task.Run(() => CodeAsync(() => RunAsync(step.Kind, users[step.Who], step.Seq)))));
            foreach (var user in users)
            {
                var recount = await Slices.ScalarAsync<string>(RecountSql, new { User = user.Value, Id = id.Value });
                Assert.That(await CountsAsync(user, id), Is.EqualTo(recount), user.ToString());
            }
        }
        return await Slices.ScalarAsync<long>("SELECT count(*) FROM message_originals WHERE conversation_id = @Id", new { Id = id.Value });

        Task RunAsync(int kind, UserId user, int seq)
        {
            MessageView? message;
            lock (sent)
                sent.TryGetValue(seq, out message);
            return kind switch
            {
                <= 3 => KeepAsync(user, kind),
                4 => Slices.SendAsync(new SendMessage(Actor.Service, id, new MessageContent(Type: MessageType.System, Text: "note"))),
                5 => Slices.SendAsync(new MarkRead(new Actor(user), id, seq)),
                6 => Slices.SendAsync(new MarkUnread(new Actor(user), id, seq)),
                7 when seq > 57 => Slices.SendAsync(new ClearHistory(new Actor(user), id, LeavesInbox: false)),
                _ when message is null => Task.CompletedTask,
                8 or 9 => HideAsync(user, message),
                10 or 11 => DeleteAsync(user, message),
                _ => EditAsync(message.SenderId!.Value, message, kind == 12 ? [users[seq % 3]] : [MentionRules.Everybody]),
            };
        }

        async Task KeepAsync(UserId user, int kind)
        {
            var message = await SendAsync(user, id, new MessageContent(Text: "hi", Mentions: kind == 0 ? [users[0], users[1]] : []));
            lock (sent)
                sent.Add(message.Seq, message);
        }
    }

    private async Task<(IReadOnlyList<UserId> Users, ConversationId Id)> GroupAsync(PolicyChange? policy = null)
    {
        var users = await Slices.UsersAsync(3);
        return (users, (await Slices.SendAsync(
            new CreateGroup(new Actor(users[0]), "Group", [users[1], users[2]], null, null, null, null, null, policy))).Id);
    }

    private async Task<MessageView> SendAsync(UserId sender, ConversationId id, MessageContent content) =>
        (await Slices.SendAsync(new SendMessage(new Actor(sender), id, content))).Message;

    private Task<Done> DeleteAsync(UserId user, MessageView message, DeleteReason? reason = null) =>
        Slices.SendAsync(new DeleteMessage(new Actor(user), message.ConversationId, message.Id, DeleteScope.Everyone, reason, null));

    private Task<Done> HideAsync(UserId user, MessageView message) =>
        Slices.SendAsync(new DeleteMessage(new Actor(user), message.ConversationId, message.Id, DeleteScope.Me, null, null));

    private Task<MessageView> EditAsync(UserId user, MessageView message, IReadOnlyList<UserId> mentions) =>
        Slices.SendAsync(new EditMessage(new Actor(user), message.ConversationId, message.Id, null, default, default, new(mentions)));

    private Task<MessageView> GetAsync(UserId viewer, MessageView message) =>
        Slices.SendAsync(new GetMessage(new Actor(viewer), message.ConversationId, message.Id));

    private async Task<IEnumerable<long>> SeqsAsync(UserId viewer, ConversationId id) =>
        (await Slices.SendAsync(new ListMessages(new Actor(viewer), id, null, null, null, 50))).Items.Select(message => message.Seq);

    private async Task<string> CountsAsync(UserId viewer, ConversationId id)
    {
        var me = (await Slices.ViewAsync(viewer, id)).Me!;
        return $"{me.UnreadCount} {me.MentionCount}";
    }
}
