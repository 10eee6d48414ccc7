using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Writing;

public sealed class ConversationWriterTests : SliceFixture
{
    private readonly ManualTime time = new();

    [Test]
    public async Task A_change_is_decided_on_the_conversation_as_it_is_once_it_is_free()
    {
        var (ada, _, id) = await PairAsync();

        var sending = await HoldingAsync(
            id, "UPDATE conversations SET closed_at = now(), closed_reason = 'manual', version = version + 1 WHERE id = @Id",
            () => Task.FromResult(Slices.TextAsync(ada, id)));

        Assert.That(await RefusalAsync(() => sending), Is.EqualTo(ProblemCodes.ConversationClosed));
    }

    [Test]
    public async Task A_held_conversation_delays_only_itself()
    {
        var (ada, bob, held) = await PairAsync();
        var (carl, _, free) = await PairAsync();

        var sending = await HoldingAsync(held, LockSql, async () =>
        {
            var waiting = Enumerable.Range(0, 48).Select(i => Slices.TextAsync(i % 2 == 0 ? ada : bob, held, $"{i}")).ToList();
            for (var i = 0; i < 10; i++)
                await Slices.TextAsync(carl, free);
            Assert.That(waiting.Count(task => task.IsCompleted), Is.Zero);
            return waiting;
        });

        var sent = await Task.WhenAll(sending);
        Assert.That(sent.Select(message => (message.Seq, message.Text)), Is.EqualTo(Enumerable.Range(0, 48).Select(i => (i + 1L, $"{i}"))));
    }

    [Test]
    public async Task A_held_place_delays_only_its_conversation()
    {
        var (ada, _, held) = await PairAsync();
        var (carl, _, free) = await PairAsync();

        var sending = await HoldingAsync(
            held, "SELECT user_id FROM participants WHERE conversation_id = @Id FOR NO KEY UPDATE", async () =>
            {
                var waiting = Slices.TextAsync(ada, held);
                await Slices.TextAsync(carl, free);
                return waiting;
            });

        Assert.That((await sending).Seq, Is.EqualTo(1));
    }

    [Test]
    public async Task Who_waits_for_too_long_is_told_to_come_again_and_nothing_is_stored()
    {
        var (ada, _, id) = await PairAsync();

        var problem = await HoldingAsync(id, LockSql, async () =>
        {
            var sending = Slices.TextAsync(ada, id);
            time.Advance(ConversationWriter.MaxWait);
            return await ProblemAsync(() => sending);
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
        Assert.That(await StoredAsync(id), Is.Empty);
    }

    [Test]
    public async Task Only_so_many_wait_for_one_conversation()
    {
        var (ada, _, id) = await PairAsync();

        var (waiting, refused) = await HoldingAsync(id, LockSql, async () =>
        {
            var all = Enumerable.Range(0, 400).Select(_ => CodeAsync(() => Slices.TextAsync(ada, id))).ToList();
            return (all, await Task.WhenAny(all).Unwrap());
        });

        Assert.That(refused, Is.EqualTo(ProblemCodes.Unavailable));
        var codes = await Task.WhenAll(waiting);
        Assert.That(await StoredAsync(id), Has.Count.EqualTo(codes.Count(code => code.Length == 0)));
    }

    [Test]
    public async Task One_that_cannot_be_written_fails_alone()
    {
        var (ada, _, id) = await PairAsync();

        // Past the checks of its shape: PostgreSQL refuses it, and with it all that is written beside it.
        var changes = Enumerable.Range(0, 40)
            .Select(i => new MessageContent(Text: $"{i}", Metadata: new(i == 20 ? "{" : "{}")))
            .Select(content => Slices.Get<ConversationWriter>().RunAsync(
                new MessageChange(new Actor(ada), id, content, Slices.Get<FileUrls>()), CancellationToken.None))
            .ToList();

        await Assert.ThatAsync(() => Task.WhenAll(changes), Throws.InstanceOf<System.Data.Common.DbException>());
        Assert.That(changes.Count(change => change.IsCompletedSuccessfully), Is.EqualTo(39));
        Assert.That(await StoredAsync(id), Is.EqualTo(Enumerable.Range(0, 40).Where(i => i != 20).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_message_being_written_when_the_connection_ended_is_not_written_again()
    {
        var (ada, _, id) = await PairAsync();
        await using var other = await Slices.OpenAsync();
        await using var holds = await other.BeginTransactionAsync();
        // Not committed, so nobody sees it, and whoever writes the same key waits for what becomes of it.
        await other.ExecuteAsync(
            """
            INSERT INTO message_keys (sender_id, conversation_id, client_key, seq, created_at, fingerprint)
            VALUES (@Ada, @Id, 'key-0', 1, now(), '')
            """,
            new { Id = id.Value, Ada = ada.Value }, holds);

        var sending = await HoldingAsync(
            id, LockSql, () => Task.FromResult(Enumerable.Range(0, 3).Select(i => Slices.TextAsync(ada, id, $"{i}", $"key-{i}")).ToList()));
        await Slices.UntilAsync($"SELECT EXISTS (SELECT {WaitsSql})");
        await Slices.ExecuteAsync($"SELECT pg_terminate_backend(pid) {WaitsSql}");
        await holds.RollbackAsync();

        await Assert.ThatAsync(() => sending[0], Throws.InstanceOf<System.Data.Common.DbException>());
        Assert.That(await StoredAsync(id), Does.Not.Contain("0"));
    }

    [Test]
    public async Task Before_the_first_message_of_a_day_a_member_who_is_held_delays_only_that_conversation()
    {
        var held = new[] { await PairAsync(), await PairAsync() };
        var (carl, _, free) = await PairAsync();
        await using var other = await Slices.OpenAsync();
        await using var holds = await other.BeginTransactionAsync();
        await other.ExecuteAsync(
            "SELECT FROM participants WHERE user_id = ANY(@Users) FOR NO KEY UPDATE",
            new { Users = held.Select(pair => pair.Bob.Value).ToArray() }, holds);

        // As many as there are batches on their way at once, each begun by itself.
        var sending = new List<Task<MessageView>>();
        foreach (var pair in held)
        {
            sending.Add(Slices.TextAsync(pair.Ada, pair.Id));
            for (var i = 0; i < 5; i++)
                await Slices.TextAsync(carl, free);
        }
        Assert.That(sending.Count(send => send.IsCompleted), Is.Zero);
        await holds.CommitAsync();

        Assert.That((await Task.WhenAll(sending)).Select(message => message.Seq), Is.All.EqualTo(1));
    }

    [Test]
    public async Task A_file_that_is_held_delays_only_the_conversation_that_names_it()
    {
        var (ada, _, id) = await PairAsync();
        var (carl, _, free) = await PairAsync();
        var file = new AttachmentId(Guid.CreateVersion7());
        await using var other = await Slices.OpenAsync();
        await other.ExecuteAsync(
            """
            INSERT INTO attachments (conversation_id, id, uploader_id, file_name, content_type, category, size, scan, files, secret,
                is_stored, created_at)
            VALUES (@Id, @File, @Ada, 'a.txt', 'text/plain', 'document', 1, 'clean', '[]', gen_random_uuid(), true, now())
            """,
            new { Id = id.Value, File = file.Value, Ada = ada.Value });
        await using var holds = await other.BeginTransactionAsync();
        await other.ExecuteAsync("SELECT FROM attachments WHERE id = @Id FOR NO KEY UPDATE", new { Id = file.Value }, holds);

        var sending = Enumerable.Range(0, 2).Select(_ => Slices.SendAsync(
            new SendMessage(new Actor(ada), id, new MessageContent(Type: MessageType.File, AttachmentIds: [file])))).ToList();
        for (var i = 0; i < 5; i++)
            await Slices.TextAsync(carl, free);
        Assert.That(sending.Count(send => send.IsCompleted), Is.Zero);
        await holds.CommitAsync();

        Assert.That((await sending[0]).Message.Attachments.Select(attachment => attachment.Id), Is.EqualTo(new[] { file }));
        Assert.That((await ProblemAsync(() => sending[1])).Member, Is.EqualTo("attachmentIds/0"));
    }

    [Test]
    public async Task Who_finds_a_conversation_held_again_and_again_stands_in_the_queue_for_it()
    {
        var (ada, _, id) = await PairAsync();

        var sending = await HoldingAsync(id, LockSql, async () =>
        {
            var waiting = Slices.TextAsync(ada, id);
            await Slices.UntilAsync(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')");
            return waiting;
        });

        Assert.That((await sending).Seq, Is.EqualTo(1));
    }

    [Test]
    public async Task Among_many_who_wait_for_a_conversation_there_is_no_room_for_who_has_no_part_in_it()
    {
        var (ada, bob, id) = await PairAsync();
        var eve = await Slices.UserAsync();

        var sending = await HoldingAsync(id, LockSql, async () =>
        {
            var waiting = Enumerable.Range(0, 80).Select(i => Slices.TextAsync(i % 2 == 0 ? ada : bob, id)).ToList();
            Assert.That(await RefusalAsync(() => Slices.TextAsync(eve, id)), Is.EqualTo(ProblemCodes.NotFound));
            Assert.That(waiting.Count(send => send.IsCompleted), Is.Zero);
            return waiting;
        });

        Assert.That((await Task.WhenAll(sending)).Max(message => message.Seq), Is.EqualTo(80));
    }

    [Test]
    public async Task Within_transactions_some_wait_for_a_held_conversation_for_a_while_and_the_others_not()
    {
        var (ada, _, id) = await PairAsync();

        var codes = await HoldingAsync(id, LockSql, () => Task.WhenAll(Enumerable.Range(0, 12).Select(i => WithinAsync(ada, id))));

        Assert.That(codes.CountBy(code => code), Is.EquivalentTo(new Dictionary<string, int> { ["unavailable"] = 2, ["55P03"] = 10 }));
        Assert.That(await StoredAsync(id), Is.Empty);
    }

    [Test]
    public async Task A_reply_to_an_id_of_a_time_that_never_comes_is_refused_by_itself()
    {
        var (ada, _, id) = await PairAsync();
        var never = new MessageId(Guid.Parse("ffffffff-ffff-7fff-bfff-ffffffffffff"));

        var problem = await ProblemAsync(() => Slices.SendAsync(
            new SendMessage(new Actor(ada), id, new MessageContent(Type: MessageType.Text, Text: "?", ReplyToId: never))));

        Assert.That(problem.Member, Is.EqualTo("replyToId"));
    }

    [Test]
    public async Task Who_goes_away_before_the_turn_leaves_nothing()
    {
        var (ada, _, id) = await PairAsync();
        using var gone = new CancellationTokenSource();

        var sending = await HoldingAsync(id, LockSql, async () =>
        {
            var waiting = Slices.Get<ConversationWriter>().RunAsync(
                new MessageChange(new Actor(ada), id, new MessageContent(Text: "never"), Slices.Get<FileUrls>()), gone.Token);
            await gone.CancelAsync();
            return waiting;
        });

        await Assert.ThatAsync(() => sending, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await StoredAsync(id), Is.Empty);
    }

    [Test]
    public async Task A_repeat_within_one_batch_is_the_message_that_it_repeats()
    {
        var (ada, _, id) = await PairAsync();

        var sent = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Slices.TextAsync(ada, id, $"{i / 10}", $"key-{i / 10}")));

        Assert.That(sent.Select(message => message.Text), Is.EqualTo(Enumerable.Range(0, 50).Select(i => $"{i / 10}")));
        Assert.That(await StoredAsync(id), Is.EqualTo((string[])["0", "1", "2", "3", "4"]));
    }

    protected override void Add(IServiceCollection services) => services.AddSingleton<TimeProvider>(time);

    private const string WaitsSql =
        "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO message_keys%'";

    // As a request with an Idempotency-Key does.
    private async Task<string> WithinAsync(UserId user, ConversationId id)
    {
        try
        {
            var content = new MessageContent(Type: MessageType.Text, Text: "!");
            await Slices.SendAsync(new SendMessage(new Actor(user), id, content), beforeCommit: () => Task.CompletedTask);
            return "";
        }
        catch (RuleException refused)
        {
            return refused.Problem.Code;
        }
        catch (System.Data.Common.DbException e)
        {
            return e.SqlState!;
        }
    }

    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> PairAsync()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        return (ada, bob, await Slices.DirectAsync(ada, bob));
    }

    private Task<List<string>> StoredAsync(ConversationId id) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT text FROM messages WHERE conversation_id = @Id ORDER BY seq", new { Id = id.Value }, CancellationToken.None));
}
