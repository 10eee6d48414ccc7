using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
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
            time.Advance(ConversationWriter.Patience);
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
                new MessageChange(new Actor(ada), id, content, Slices.Get<FileUrls>(), asks: false), CancellationToken.None))
            .ToList();

        await Assert.ThatAsync(() => Task.WhenAll(changes), Throws.InstanceOf<System.Data.Common.DbException>());
        Assert.That(changes.Count(change => change.IsCompletedSuccessfully), Is.EqualTo(39));
        Assert.That(await StoredAsync(id), Is.EqualTo(Enumerable.Range(0, 40).Where(i => i != 20).Select(i => $"{i}")));
    }

    [Test]
    public async Task What_was_being_written_when_the_connection_was_ended_is_not_written_again()
    {
        var (ada, _, id) = await PairAsync();
        await using var other = await Slices.OpenAsync();
        await using var holds = await other.BeginTransactionAsync();
        await other.ExecuteAsync(
            "SELECT FROM participants WHERE conversation_id = @Id AND user_id <> @Ada FOR NO KEY UPDATE",
            new { Id = id.Value, Ada = ada.Value }, holds);

        // The first message of a day writes the other one's place too, and waits for it with all that is to be committed with it.
        var sending = await HoldingAsync(
            id, LockSql, () => Task.FromResult(Enumerable.Range(0, 3).Select(_ => Slices.TextAsync(ada, id)).ToList()));
        await Slices.UntilAsync($"SELECT EXISTS (SELECT {WaitsSql})");
        await Slices.ExecuteAsync($"SELECT pg_terminate_backend(pid) {WaitsSql}");
        await holds.CommitAsync();

        foreach (var send in sending)
            await Assert.ThatAsync(() => send, Throws.InstanceOf<System.Data.Common.DbException>());
        Assert.That(await StoredAsync(id), Is.Empty);
    }

    [Test]
    public async Task Who_goes_away_before_the_turn_leaves_nothing()
    {
        var (ada, _, id) = await PairAsync();
        using var gone = new CancellationTokenSource();

        var sending = await HoldingAsync(id, LockSql, async () =>
        {
            var waiting = Slices.Get<ConversationWriter>().RunAsync(
                new MessageChange(new Actor(ada), id, new MessageContent(Text: "never"), Slices.Get<FileUrls>(), asks: false), gone.Token);
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

    private const string LockSql = "SELECT id FROM conversations WHERE id = @Id FOR NO KEY UPDATE";

    private const string WaitsSql =
        "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%SET activity_day%'";

    private async Task<(UserId Ada, UserId Bob, ConversationId Id)> PairAsync()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        return (ada, bob, await Slices.DirectAsync(ada, bob));
    }

    // Does something while another transaction holds rows, which ends afterwards.
    private async Task<T> HoldingAsync<T>(ConversationId id, string sql, Func<Task<T>> meanwhile)
    {
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(sql, new { Id = id.Value }, transaction);
        var result = await meanwhile();
        await transaction.CommitAsync();
        return result;
    }

    private Task<List<string>> StoredAsync(ConversationId id) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT text FROM messages WHERE conversation_id = @Id ORDER BY seq", new { Id = id.Value }, CancellationToken.None));
}
