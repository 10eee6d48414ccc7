using CsCheck;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Testing;
using NodaTime;

namespace Messaging.Application.Tests.Receipts;

public sealed class ReceiptTests : SliceFixture
{
    [Test]
    public async Task A_message_is_sent_then_delivered_then_read_and_when()
    {
        var (users, id) = await GroupAsync(3);
        var message = await Slices.TextAsync(users[0], id);
        var sent = await ReceiptsAsync(users[0], message);

        await DeliverAsync(users[1], id, message.Seq);
        await ReadAsync(users[2], id, message.Seq);
        var page = await ReceiptsAsync(users[0], message);

        Assert.That((sent.RecipientCount, sent.DeliveredCount, sent.ReadCount), Is.EqualTo((2, 0, 0)));
        Assert.That(sent.Items, Is.EqualTo(users.Skip(1).Order().Select(user => new ReceiptView(user, ReceiptStatus.Sent, null, null))));
        Assert.That((page.RecipientCount, page.DeliveredCount, page.ReadCount), Is.EqualTo((2, 2, 1)));
        var (delivered, read) = (Of(page, users[1]), Of(page, users[2]));
        Assert.That((delivered.Status, delivered.DeliveredAt > message.CreatedAt, delivered.ReadAt),
            Is.EqualTo((ReceiptStatus.Delivered, true, (Instant?)null)));
        Assert.That(
            (read.Status, read.ReadAt > message.CreatedAt, read.DeliveredAt <= read.ReadAt), Is.EqualTo((ReceiptStatus.Read, true, true)));
    }

    [Test]
    public async Task The_times_are_those_of_the_first_move_that_reached_the_message()
    {
        var (users, id) = await GroupAsync(2);
        var messages = await TextsAsync(users[0], id, 6);
        await DeliverAsync(users[1], id, messages[1].Seq);
        await ReadAsync(users[1], id, messages[3].Seq);
        var four = Of(await ReceiptsAsync(users[0], messages[3]), users[1]);
        await DeliverAsync(users[1], id, messages[4].Seq);
        await ReadAsync(users[1], id, messages[5].Seq);

        var later = await Task.WhenAll(messages.Select(async message => Of(await ReceiptsAsync(users[0], message), users[1])));

        Assert.That(later[3], Is.EqualTo(four));
        Assert.That(later.Select(r => r.ReadAt), Is.Ordered.And.All.Not.Null);
        Assert.That(later.Select(r => r.DeliveredAt).Distinct().Count(), Is.EqualTo(4));
        Assert.That(later.Select(r => r.ReadAt).Distinct().Count(), Is.EqualTo(2));
        Assert.That(later.Select(r => r.DeliveredAt < r.ReadAt), Is.EqualTo(new[] { true, true, false, false, true, false }));
    }

    [Test]
    public async Task To_mark_as_unread_what_lies_ahead_is_to_read_what_is_before_it()
    {
        var (users, id) = await GroupAsync(3);
        var messages = await TextsAsync(users[0], id, 4);
        await HideAsync(users[2], id);

        foreach (var user in users.Skip(1))
            await Slices.SendAsync(new MarkUnread(new Actor(user), id, messages[3].Seq));
        var page = await ReceiptsAsync(users[0], messages[2]);
        await Slices.SendAsync(new MarkUnread(new Actor(users[1]), id, messages[1].Seq));
        var back = Of(await ReceiptsAsync(users[0], messages[2]), users[1]);

        Assert.That((Of(page, users[1]).Status, Of(page, users[1]).ReadAt is null), Is.EqualTo((ReceiptStatus.Read, false)));
        Assert.That((Of(page, users[2]).Status, Of(page, users[2]).DeliveredAt is null), Is.EqualTo((ReceiptStatus.Delivered, false)));
        Assert.That((back.Status, back.ReadAt, back.DeliveredAt),
            Is.EqualTo((ReceiptStatus.Delivered, (Instant?)null, Of(page, users[1]).DeliveredAt)));
        Assert.That(await HeardAsync(id, users[0]), Is.EqualTo(
            new[]
            {
                $"message:read {users[1]} {messages[2].Seq}", $"message:delivered {users[2]} {messages[2].Seq}",
                $"message:read {users[1]} {messages[0].Seq}"
            }));
    }

    [Test]
    public async Task Answering_is_reading()
    {
        var (users, id) = await GroupAsync(2);
        var message = await Slices.TextAsync(users[0], id);

        var answer = await Slices.TextAsync(users[1], id);

        Assert.That(Of(await ReceiptsAsync(users[0], message), users[1]), Is.EqualTo(
            new ReceiptView(users[1], ReceiptStatus.Read, answer.CreatedAt, answer.CreatedAt)));
    }

    [Test]
    public async Task Neither_the_sender_nor_who_came_later_nor_who_left_is_a_recipient()
    {
        var (users, id) = await GroupAsync(4);
        var late = await Slices.UserAsync();
        var message = await Slices.TextAsync(users[0], id);
        await ReadAsync(users[3], id, message.Seq);

        await Slices.SendAsync(new AddParticipants(new Actor(users[0]), id, [late], Role: null));
        await Slices.SendAsync(new LeaveConversation(new Actor(users[3]), id));
        var page = await ReceiptsAsync(late, message);

        Assert.That(page.Items.Select(r => r.UserId), Is.EqualTo(users.Skip(1).Take(2).Order()));
        Assert.That((page.RecipientCount, page.ReadCount), Is.EqualTo((2, 0)));
    }

    [Test]
    public async Task Who_hides_receipts_counts_as_delivered_and_nothing_more()
    {
        var (users, id) = await GroupAsync(3);
        var messages = await TextsAsync(users[0], id, 3);
        await HideAsync(users[1], id);
        await DeliverAsync(users[1], id, messages[0].Seq);
        var unread = await ReceiptsAsync(users[0], messages[0]);

        await ReadAsync(users[1], id, messages[1].Seq);

        Assert.That(await ReceiptsAsync(users[0], messages[0]), Is.EqualTo(unread).Using<ReceiptPage>(Same),
            "reading changes nothing of what was delivered");
        var second = await ReceiptsAsync(users[0], messages[1]);
        Assert.That((second.DeliveredCount, second.ReadCount, Of(second, users[1]).Status, Of(second, users[1]).ReadAt),
            Is.EqualTo((1, 0, ReceiptStatus.Delivered, (Instant?)null)));
        Assert.That(Of(await ReceiptsAsync(users[0], messages[2]), users[1]).Status, Is.EqualTo(ReceiptStatus.Sent));
        var seen = (await Slices.SendAsync(new GetMessage(new Actor(users[0]), id, messages[1].Id)));
        Assert.That((seen.DeliveredCount, seen.ReadCount), Is.EqualTo((1, 0)));
        Assert.That(await HeardAsync(id, users[0]), Is.EqualTo(
            new[] { $"message:delivered {users[1]} {messages[0].Seq}", $"message:delivered {users[1]} {messages[1].Seq}" }));
    }

    [Test]
    public async Task Where_the_policy_turns_receipts_off_nobody_learns_anything()
    {
        var (users, id) = await GroupAsync(3);
        var message = await Slices.TextAsync(users[0], id);
        await DeliverAsync(users[1], id, message.Seq);
        await Slices.ExecuteAsync("""UPDATE conversations SET policy = '{"receipts":false}' WHERE id = @Id""", new { Id = id.Value });

        await ReadAsync(users[2], id, message.Seq);
        var page = await ReceiptsAsync(users[0], message);
        var seen = await Slices.SendAsync(new GetMessage(new Actor(users[0]), id, message.Id));
        var people = (await Slices.ViewAsync(users[0], id)).Participants;
        var listed = (await Slices.SendAsync(new ListParticipants(new Actor(users[0]), id, null, null, null, 30))).Items;

        Assert.That((page.RecipientCount, page.DeliveredCount, page.ReadCount, page.Items.Count), Is.EqualTo((2, 0, 0, 0)));
        Assert.That((seen.RecipientCount, seen.DeliveredCount, seen.ReadCount), Is.EqualTo((2, 0, 0)));
        Assert.That(people.Concat(listed).Select(p => (p.LastReadSeq, p.LastDeliveredSeq)), Is.All.EqualTo(((long?)null, (long?)null)));
        Assert.That(await HeardAsync(id, users[0]), Is.EqualTo(new[] { $"message:delivered {users[1]} {message.Seq}" }));
        Assert.That((await Slices.ViewAsync(users[2], id)).Me!.LastDeliveredSeq, Is.EqualTo(message.Seq));
    }

    [Test]
    public async Task Who_does_not_see_the_message_sees_no_receipts()
    {
        var (users, id) = await GroupAsync(3);
        var message = await Slices.TextAsync(users[0], id);
        var eve = await Slices.UserAsync();
        await Slices.SendAsync(new DeleteMessage(new Actor(users[1]), id, message.Id, DeleteScope.Me, null, null));
        await Slices.SendAsync(new ClearHistory(new Actor(users[2]), id, LeavesInbox: false));

        foreach (var user in new[] { eve, users[1], users[2] })
            Assert.That(await RefusalAsync(() => ReceiptsAsync(user, message)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await Slices.SendAsync(new ListReceipts(Actor.Service, id, message.Id, null, 30))).RecipientCount, Is.EqualTo(2));
    }

    [Test]
    public async Task Receipts_of_many_come_page_by_page_with_the_counts_of_all()
    {
        var (users, id) = await GroupAsync(12);
        var message = await Slices.TextAsync(users[0], id);
        await ReadAsync(users[5], id, message.Seq);

        var (items, cursor) = (new List<ReceiptView>(), (string?)null);
        do
        {
            var page = await Slices.SendAsync(new ListReceipts(new Actor(users[0]), id, message.Id, cursor, 4));
            Assert.That((page.RecipientCount, page.ReadCount), Is.EqualTo((11, 1)));
            items.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(items.Select(r => r.UserId), Is.EqualTo(users.Skip(1).Order()));
    }

    [Test]
    public async Task Fetching_is_delivery_and_is_told_once()
    {
        var (users, id) = await GroupAsync(2);
        var messages = await TextsAsync(users[0], id, 5);

        var first = await PageAsync(users[1], id, before: messages[3].Seq);
        var again = await PageAsync(users[1], id, before: messages[2].Seq);

        // The first one is that the group was made, which its owner has received too.
        Assert.That(first.Items.Select(m => m.DeliveredCount), Is.EqualTo(new[] { 2, 1, 1, 1 }));
        Assert.That(again.Items.Select(m => m.DeliveredCount), Is.EqualTo(new[] { 2, 1, 1 }));
        Assert.That((await Slices.ViewAsync(users[1], id)).Me!.LastDeliveredSeq, Is.EqualTo(messages[2].Seq));
        Assert.That((await Slices.ViewAsync(users[1], id)).Me!.UnreadCount, Is.EqualTo(5));
        Assert.That(await HeardAsync(id, users[0]), Is.EqualTo(new[] { $"message:delivered {users[1]} {messages[2].Seq}" }));
        Assert.That(Of(await ReceiptsAsync(users[0], messages[2]), users[1]).DeliveredAt, Is.Not.Null);
    }

    [Test]
    public async Task A_page_that_holds_nothing_newer_writes_nothing()
    {
        var (users, id) = await GroupAsync(2);
        await TextsAsync(users[0], id, 3);
        await PageAsync(users[1], id);
        var before = await RowAsync();

        await PageAsync(users[1], id);
        await PageAsync(users[1], id, before: 2);
        await PageAsync(users[0], id);
        await Slices.SendAsync(new ListMessages(Actor.Service, id, null, null, null, 50));

        Assert.That(await RowAsync(), Is.EqualTo(before));

        Task<string> RowAsync() => Slices.ScalarAsync<string>(
            """
            SELECT string_agg(xmin::text, ' ' ORDER BY user_id) || ' ' || (SELECT count(*) FROM outbox WHERE conversation_id = @Id)
            FROM participants
            WHERE conversation_id = @Id
            """,
            new { Id = id.Value });
    }

    [Test]
    public async Task One_message_by_its_id_delivers_none_before_it_and_who_has_not_accepted_receives_nothing()
    {
        var (users, id) = await GroupAsync(2);
        var messages = await TextsAsync(users[0], id, 3);
        await Slices.SendAsync(new GetMessage(new Actor(users[1]), id, messages[2].Id));
        Assert.That((await Slices.ViewAsync(users[1], id)).Me!.LastDeliveredSeq, Is.Zero);
        await Slices.ExecuteAsync("UPDATE participants SET pending = true WHERE conversation_id = @Id AND user_id = @User",
            new { Id = id.Value, User = users[1].Value });

        var page = await PageAsync(users[1], id);

        Assert.That(page.Items.Where(m => m.SenderId is not null).Select(m => m.DeliveredCount), Is.All.Zero);
        Assert.That(await HeardAsync(id, users[0]), Is.Empty);
    }

    [Test]
    public async Task Pages_fetched_at_once_leave_the_furthest()
    {
        var (users, id) = await GroupAsync(2);
        await TextsAsync(users[0], id, 30);

        await Task.WhenAll(Enumerable.Range(1, 30).Select(seq => Task.Run(() => PageAsync(users[1], id, before: seq + 1))));

        Assert.That((await Slices.ViewAsync(users[1], id)).Me!.LastDeliveredSeq, Is.EqualTo(30));
        Assert.That((await HeardAsync(id, users[0])).Select(e => int.Parse(e.Split(' ')[^1])), Is.Ordered.And.Unique);
    }

    [Test]
    public Task Receipts_equal_a_recount_after_a_random_program() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 4], Gen.Int[1, 60], (kind, who, seq) => (kind, who, seq))
            .CheckAsync(length: 240, cases: 1, EqualARecountAsync);

    private async Task EqualARecountAsync((int Kind, int Who, int Seq)[] program)
    {
        var (users, id) = await GroupAsync(5);
        var messages = await TextsAsync(users[0], id, 2);

        foreach (var (i, batch) in program.Chunk(12).Index())
        {
            await Task.WhenAll(batch.Select(o => Task.Run(() => RunAsync(o.Kind, users[o.Who], id, o.Seq))));
            messages = [.. (await Slices.SendAsync(new ListMessages(Actor.Service, id, null, null, null, 100))).Items];
            await ExactAsync(id, messages[i * 12 % messages.Count]);
        }
        foreach (var message in messages)
            await ExactAsync(id, message);
    }

    private Task RunAsync(int kind, UserId user, ConversationId id, int seq) => kind switch
    {
        <= 2 => Slices.TextAsync(user, id),
        3 => HideAsync(user, id, hides: seq % 2 == 0),
        4 => CodeAsync(() => Slices.SendAsync(new MarkUnread(new Actor(user), id, seq))),
        5 => PageAsync(user, id, before: seq),
        6 or 7 => DeliverAsync(user, id, seq),
        _ => ReadAsync(user, id, seq),
    };

    // From the rows alone, person by person.
    private async Task ExactAsync(ConversationId id, MessageView message)
    {
        var people = await RowsAsync<Person>("SELECT user_id, joined_seq, last_read_seq, last_delivered_seq, show_read_receipts "
            + "FROM participants WHERE conversation_id = @Id AND left_at IS NULL");
        var reads = await RowsAsync<Mark>("SELECT user_id, seq, at FROM read_marks WHERE conversation_id = @Id");
        var deliveries = await RowsAsync<Mark>("SELECT user_id, seq, at FROM delivered_marks WHERE conversation_id = @Id");
        var expected = people.Where(p => p.UserId != message.SenderId && p.JoinedSeq < message.Seq).OrderBy(p => p.UserId).Select(p =>
        {
            var read = p.ShowReadReceipts && p.LastReadSeq >= message.Seq;
            var delivered = p.LastDeliveredSeq >= message.Seq;
            var readAt = read ? First(reads, p.UserId) : null;
            var deliveredAt = delivered ? First(deliveries, p.UserId) : null;
            return new ReceiptView(p.UserId, read ? ReceiptStatus.Read : delivered ? ReceiptStatus.Delivered : ReceiptStatus.Sent,
                deliveredAt is null || readAt < deliveredAt ? readAt : deliveredAt, readAt);
        }).ToList();

        var page = await Slices.SendAsync(new ListReceipts(Actor.Service, id, message.Id, null, 100));
        var seen = await Slices.SendAsync(new GetMessage(Actor.Service, id, message.Id));
        Assert.That(page.Items, Is.EqualTo(expected));
        Assert.That(
            (page.RecipientCount, page.DeliveredCount, page.ReadCount),
            Is.EqualTo((expected.Count, expected.Count(r => r.Status is not ReceiptStatus.Sent),
                expected.Count(r => r.Status is ReceiptStatus.Read))));
        Assert.That((seen.RecipientCount, seen.DeliveredCount, seen.ReadCount),
            Is.EqualTo((page.RecipientCount, page.DeliveredCount, page.ReadCount)));

        Instant? First(IEnumerable<Mark> marks, UserId user) =>
            marks.Where(m => m.UserId == user && m.Seq >= message.Seq).MinBy(m => m.Seq)?.At;
        Task<List<T>> RowsAsync<T>(string sql) =>
            Slices.SqlAsync(session => session.QueryAsync<T>(sql, new { Id = id.Value }, CancellationToken.None));
    }

    // What one hears of others' pointers, in its order.
    private Task<List<string>> HeardAsync(ConversationId id, UserId user) => Slices.SqlAsync(session => session.QueryAsync<string>(
        """
        SELECT type || ' ' || (payload ->> 'userId') || ' ' || (payload ->> 'seq')
        FROM outbox
        WHERE conversation_id = @Id AND type IN ('message:read', 'message:delivered') AND coalesce(user_id, @User) = @User
        ORDER BY occurred_at
        """,
        new { Id = id.Value, User = user.Value }, CancellationToken.None));

    private async Task<(IReadOnlyList<UserId> Users, ConversationId Id)> GroupAsync(int size)
    {
        var users = await Slices.UsersAsync(size);
        return (users, await Slices.GroupAsync(users[0], [.. users.Skip(1)]));
    }

    private async Task<IReadOnlyList<MessageView>> TextsAsync(UserId sender, ConversationId id, int count)
    {
        var messages = new List<MessageView>();
        for (var i = 0; i < count; i++)
            messages.Add(await Slices.TextAsync(sender, id));
        return messages;
    }

    private Task<SettingsView> HideAsync(UserId user, ConversationId id, bool hides = true) =>
        Slices.SendAsync(new UpdateSettings(new Actor(user), id, new SettingsChange { ShowReadReceipts = new(!hides) }));

    private Task<PointerState> ReadAsync(UserId user, ConversationId id, long seq) =>
        Slices.SendAsync(new MarkRead(new Actor(user), id, seq));

    private Task<PointerState> DeliverAsync(UserId user, ConversationId id, long seq) =>
        Slices.SendAsync(new MarkDelivered(new Actor(user), id, seq));

    private Task<ReceiptPage> ReceiptsAsync(UserId viewer, MessageView message) =>
        Slices.SendAsync(new ListReceipts(new Actor(viewer), message.ConversationId, message.Id, null, 100));

    private Task<MessagePage> PageAsync(UserId user, ConversationId id, long? before = null) =>
        Slices.SendAsync(new ListMessages(new Actor(user), id, before, null, null, 50));

    private static ReceiptView Of(ReceiptPage page, UserId user) => page.Items.Single(r => r.UserId == user);

    private static bool Same(ReceiptPage one, ReceiptPage other) =>
        one with { Items = [] } == other with { Items = [] } && one.Items.SequenceEqual(other.Items);

    private sealed record Person(UserId UserId, long JoinedSeq, long LastReadSeq, long LastDeliveredSeq, bool ShowReadReceipts);

    private sealed record Mark(UserId UserId, long Seq, Instant At);
}
