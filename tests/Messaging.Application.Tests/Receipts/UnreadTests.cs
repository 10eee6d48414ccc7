using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Application.Tests.Receipts;

public sealed class UnreadTests : SliceFixture
{
    // The brute force: every message after the pointer that is neither one's own nor a system message.
    private const string RecountSql =
        """
        SELECT count(*)
        FROM messages m
        JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = @User AND p.left_at IS NULL
        WHERE m.conversation_id = @Id AND m.seq > p.last_read_seq AND m.type <> 'system' AND m.deleted_at IS NULL
            AND m.sender_id IS DISTINCT FROM @User
        """;

    [Test]
    public async Task Reading_moves_the_pointer_forward_only_and_never_past_the_newest()
    {
        var (ada, bob, id) = await PairAsync(messages: 5);

        var three = await ReadAsync(bob, id, 3);
        var back = await ReadAsync(bob, id, 1);
        var beyond = await ReadAsync(bob, id, 99);

        Assert.That((three.LastReadSeq, three.UnreadCount), Is.EqualTo((3L, 2L)));
        Assert.That(back, Is.EqualTo(three));
        Assert.That(beyond, Is.EqualTo(new PointerState(5, 5, 0, 0)));
        Assert.That((await ReadAsync(ada, id, null)).UnreadCount, Is.Zero);
    }

    [Test]
    public async Task Simultaneous_reads_leave_the_highest()
    {
        var (_, bob, id) = await PairAsync(messages: 40);

        await Task.WhenAll(Enumerable.Range(1, 40).Select(seq => Task.Run(() => ReadAsync(bob, id, seq))));

        Assert.That((await Slices.ViewAsync(bob, id)).Me!.LastReadSeq, Is.EqualTo(40));
    }

    [Test]
    public async Task The_badge_leaves_out_archived_conversations_and_counts_muted_ones_apart()
    {
        var users = await Slices.UsersAsync(5);
        var ids = new List<ConversationId>();
        foreach (var other in users.Skip(1))
        {
            ids.Add(await Slices.DirectAsync(other, users[0]));
            await Slices.TextAsync(other, ids[^1]);
        }
        await Slices.SendAsync(new SendMessage(new Actor(users[1]), ids[0], new MessageContent(Text: "hi", Mentions: [users[0]])));
        await Slices.ExecuteAsync("UPDATE conversations SET archived_at = now() WHERE id = @Id", new { Id = ids[1].Value });
        await Slices.ExecuteAsync(
            "UPDATE participants SET muted_until = now() + interval '1 hour' WHERE conversation_id = @Id", new { Id = ids[2].Value });

        var badge = await Slices.SendAsync(new GetUnread(new Actor(users[0])));

        Assert.That(badge, Is.EqualTo(new UnreadTotal(2, 3, 1, new UnreadCounts(1, 1, 0))));
    }

    [Test]
    public async Task A_message_that_does_not_exist_yet_cannot_be_marked_as_unread()
    {
        var (_, bob, id) = await PairAsync(messages: 2);
        await ReadAsync(bob, id, null);

        Assert.That((await ProblemAsync(() => Slices.SendAsync(new MarkUnread(new Actor(bob), id, 3)))).Member, Is.EqualTo("seq"));
        Assert.That((await EventsAsync(id)).Count(e => e == "message:read "), Is.EqualTo(1));
    }

    [Test]
    public async Task A_stranger_reads_nothing()
    {
        var (_, _, id) = await PairAsync(messages: 1);
        var eve = await Slices.UserAsync();

        Assert.That(await RefusalAsync(() => ReadAsync(eve, id, 1)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await ProblemAsync(() => ReadAsync(eve, id, -1))).Member, Is.EqualTo("seq"));
    }

    [Test]
    public async Task Reading_tells_the_participants_and_ones_own_devices_once()
    {
        var (ada, bob, id) = await PairAsync(messages: 3);

        await ReadAsync(bob, id, 2);
        await ReadAsync(bob, id, 2);

        Assert.That(await EventsAsync(id), Is.EqualTo(new[]
        {
            "conversation:created ", "message:new ", "message:new ", "message:new ", "message:read ", $"unread:changed {bob}",
        }));
        Assert.That(
            await ToldAsync(id, bob),
            Does.StartWith($$"""{"conversationId":"{{id}}","lastReadSeq":2,"lastSeq":3,"unreadCount":1,"mentionCount":0,""").And.EndsWith(
                """
                "total":{"conversations":1,"messages":1,"mentions":0,"muted":{"conversations":0,"messages":0,"mentions":0}}}
                """));
        _ = ada;
    }

    [Test]
    public async Task Sending_past_something_unread_tells_ones_own_devices_and_else_does_not()
    {
        var (ada, bob, id) = await PairAsync(messages: 1);

        await Slices.TextAsync(bob, id);
        await Slices.TextAsync(bob, id);

        Assert.That((await EventsAsync(id)).Count(e => e == $"unread:changed {bob}"), Is.EqualTo(1));
        Assert.That((await EventsAsync(id)).Count(e => e == $"unread:changed {ada}"), Is.Zero);
        Assert.That((await Slices.ViewAsync(bob, id)).Me!.UnreadCount, Is.Zero);
    }

    [Test]
    public async Task Unread_equals_a_recount_after_a_thousand_random_operations()
    {
        var last = 0L;
        await Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 700]).CheckAsync(length: 1000, cases: 1, async program =>
        {
            var users = await Slices.UsersAsync(4);
            ConversationId[] ids = [await Slices.GroupAsync(users[0], [.. users.Skip(1)]), await Slices.DirectAsync(users[0], users[1])];
            foreach (var batch in program.Chunk(20))
            {
                await Task.WhenAll(batch.Select(operation => Task.Run(() =>
                {
                    var (kind, who, where, seq) = operation;
                    return RunAsync(kind, users[where == 0 ? who : who % 2], ids[where], seq);
                })));
                foreach (var id in ids)
                    await ExactAsync(users, id);
            }
            last = Math.Max(last, (await Slices.ViewAsync(users[0], ids[0])).LastSeq);
        });

        Assert.That(last, Is.GreaterThan(200));
    }

    private Task RunAsync(int kind, UserId user, ConversationId id, int seq) => kind switch
    {
        <= 4 => Slices.TextAsync(user, id),
        5 => Slices.SendAsync(new SendMessage(Actor.Service, id, new MessageContent(Type: MessageType.System, Text: "note"))),
        _ => ReadAsync(user, id, kind == 9 ? null : seq),
    };

    private async Task ExactAsync(IReadOnlyList<UserId> users, ConversationId id)
    {
        foreach (var user in users)
        {
            var page = (await Slices.SendAsync(new ListInbox(new Actor(user), InboxFilter.All, null, null, null, null, 30))).Items;
            if (page.SingleOrDefault(c => c.Id == id) is not { Me: { } me })
                continue;
            var recount = await Slices.ScalarAsync<long>(RecountSql, new { User = user.Value, Id = id.Value });
            Assert.That(me.UnreadCount, Is.EqualTo(recount));
        }
    }

    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> PairAsync(int messages)
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.DirectAsync(ada, bob);
        for (var i = 0; i < messages; i++)
            await Slices.TextAsync(ada, id);
        return (ada, bob, id);
    }

    [Test]
    public async Task In_a_large_group_the_sender_alone_learns_of_who_has_read()
    {
        var users = await Slices.UsersAsync(31);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        var bob = users[1];
        for (var i = 0; i < 3; i++)
            await Slices.TextAsync(users[0], id);

        await ReadAsync(bob, id, 3);
        await ReadAsync(bob, id, 4);

        Assert.That(
            (await EventsAsync(id)).Where(e => e.StartsWith("message:read", StringComparison.Ordinal)),
            Is.EquivalentTo(new[] { users[0], bob, users[0], bob }.Select(user => $"message:read {user}")));
        Assert.That((await Slices.ViewAsync(bob, id)).Me!.UnreadCount, Is.Zero);
    }

    [Test]
    public async Task In_a_large_group_nobody_else_learns_that_a_message_was_marked_unread_but_who_waited_for_what_is_read_by_that()
    {
        var users = await Slices.UsersAsync(31);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        var bob = users[1];
        for (var i = 0; i < 3; i++)
            await Slices.TextAsync(users[0], id);

        await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 3));
        await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 2));

        Assert.That(
            (await EventsAsync(id)).Where(e => e.StartsWith("message:read", StringComparison.Ordinal)),
            Is.EquivalentTo(new[] { users[0], bob, bob }.Select(user => $"message:read {user}")));
    }

    [Test]
    public async Task Reading_is_told_after_marking_as_unread_also_where_the_clock_was_ahead()
    {
        var (_, bob, id) = await PairAsync(messages: 3);
        await Slices.ExecuteAsync(
            "UPDATE conversations SET last_event_at = now() + interval '1 day' WHERE id = @Id", new { Id = id.Value });

        await Slices.SendAsync(new MarkUnread(new Actor(bob), id, 2));
        await ReadAsync(bob, id, 3);

        var told = await Slices.SqlAsync(session => session.QueryAsync<bool>(
            """
            SELECT payload ? 'markedUnread'
            FROM outbox
            WHERE conversation_id = @Id AND type = 'message:read'
            ORDER BY occurred_at, conversation_id, event_no
            """,
            new { Id = id.Value }, CancellationToken.None));
        Assert.That(told, Is.EqualTo(new[] { true, false }));
    }

    [Test]
    public async Task An_unread_count_is_told_beside_an_edit_in_another_conversation()
    {
        var ((_, bob, id), (ada, _, elsewhere)) = (await PairAsync(messages: 2), await PairAsync(messages: 1));
        var edited = (await Slices.SendAsync(new ListMessages(new Actor(ada), elsewhere, null, null, null, 1))).Items[0];
        var values = new JsonText(Outbox.Json(new MessageValues { CreatedAt = edited.CreatedAt })!);
        var rows = new[]
        {
            new FeedRow(1, Instant.MinValue, id.Value, Seq: null, bob.Value, UnreadChanged.Name, Payload: null),
            new FeedRow(2, Instant.MinValue, elsewhere.Value, edited.Seq, UserId: null, MessageEdited.Name, values),
        };

        var told = await Slices.SqlAsync(
            session => session.QueryAsync(Slices.Get<EventRenderer>().Read(rows, reader: null), CancellationToken.None));

        Assert.That(told(rows[0])!.Value.Value, Does.Contain("\"unreadCount\":2"));
        Assert.That(told(rows[1])!.Value.Value, Does.Contain("\"recipientCount\":1"));
    }

    private Task<string> ToldAsync(ConversationId id, UserId user) => Slices.SqlAsync(async session =>
    {
        var row = new FeedRow(1, Instant.MinValue, id.Value, Seq: null, user.Value, UnreadChanged.Name, Payload: null);
        var data = await session.QueryAsync(Slices.Get<EventRenderer>().Read([row], reader: null), CancellationToken.None);
        return data(row)!.Value.Value;
    });

    private Task<PointerState> ReadAsync(UserId user, ConversationId id, long? seq) =>
        Slices.SendAsync(new MarkRead(new Actor(user), id, seq));

    private Task<List<string>> EventsAsync(ConversationId id) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type || ' ' || coalesce(user_id, '') FROM outbox WHERE conversation_id = @Id "
            + "ORDER BY occurred_at, event_no NULLS LAST, type",
        new { Id = id.Value }, CancellationToken.None));
}
