using Messaging.Infrastructure.Events;
using Messaging.Testing;

namespace Messaging.Application.Tests.Events;

public sealed class SequencingTests
{
    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync() => feed = await FeedDatabase.StartAsync();

    [TearDown]
    public async Task StopAsync() => await feed.DisposeAsync();

    [Test]
    public async Task Positions_are_dense_and_follow_the_order_of_each_conversation_under_concurrent_writers()
    {
        var conversations = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => feed.ConversationAsync()));
        await using var sequencer = await Running.StartAsync(feed.Sequencer());

        await Task.WhenAll(Enumerable.Range(0, 16).Select(async writer =>
        {
            for (var i = 0; i < 50; i++)
                await feed.AppendAsync(conversations[(writer + i) % conversations.Length]);
        }));
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 800, "all events moved");

        Assert.That(await feed.Slices.ScalarAsync<bool>("SELECT count(*) = max(position) - min(position) + 1 FROM feed"), Is.True);
        Assert.That(await feed.Slices.ScalarAsync<long>(FeedDatabase.ViolationsSql), Is.Zero);
    }

    [Test]
    public async Task A_batch_is_numbered_by_time_then_conversation_then_number()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO outbox (occurred_at, conversation_id, event_no, type, payload)
            SELECT now() + (i % 7) * interval '1 second', ('00000000-0000-7000-8000-00000000000' || i % 5)::uuid, (i * 37) % 100, 'test',
                '{}'
            FROM generate_series(1, 500) AS i
            """);

        await feed.DrainAsync();

        Assert.That(
            await feed.Slices.ScalarAsync<bool>(
                "SELECT bool_and(ordered) FROM (SELECT (occurred_at, conversation_id) >= lag((occurred_at, conversation_id)) "
                + "OVER (ORDER BY position) AS ordered FROM feed) AS rows"),
            Is.True);
    }

    [Test]
    public async Task A_long_transaction_stalls_nobody_and_its_event_comes_when_it_commits()
    {
        var (slow, quick) = (await feed.ConversationAsync(), await feed.ConversationAsync());
        await using var sequencer = await Running.StartAsync(feed.Sequencer());
        await using var open = await feed.AppendOpenAsync(slow);

        for (var i = 0; i < 20; i++)
            await feed.AppendAsync(quick);
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 20, "the others moved");
        await open.CommitAsync();
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 21, "the late one moved");

        Assert.That(
            await feed.Slices.ScalarAsync<Guid>("SELECT conversation_id FROM feed ORDER BY position DESC LIMIT 1"), Is.EqualTo(slow));
    }

    [Test]
    public async Task More_than_a_batch_is_moved_in_several()
    {
        await feed.Slices.ExecuteAsync(
            "INSERT INTO outbox (occurred_at, user_id, type, payload) SELECT now(), 'ada', 'test', '{}' FROM generate_series(1, 2500)");
        await using var mover = await feed.MoverAsync((await feed.AcquireAsync("me"))!);

        var moves = new List<int>();
        for (Move move; (move = await mover.MoveAsync(CancellationToken.None)).Count > 0;)
            moves.Add(move.Count);

        Assert.That(moves, Is.EqualTo((int[])[1000, 1000, 500]));
    }

    [Test]
    public async Task Who_lost_the_lease_moves_nothing()
    {
        await feed.AppendAsync(await feed.ConversationAsync());
        await using var paused = await feed.MoverAsync((await feed.AcquireAsync("paused", seconds: 0))!);
        await using var leader = await feed.MoverAsync((await feed.AcquireAsync("leader"))!);

        Assert.That((await paused.MoveAsync(CancellationToken.None)).Count, Is.Zero);
        Assert.That((await leader.MoveAsync(CancellationToken.None)).Count, Is.EqualTo(1));
    }

    [Test]
    public async Task A_lease_that_ran_out_moves_nothing_even_before_anybody_takes_it()
    {
        await feed.AppendAsync(await feed.ConversationAsync());
        await using var late = await feed.MoverAsync((await feed.AcquireAsync("late", seconds: 0))!);

        Assert.That((await late.MoveAsync(CancellationToken.None)).Count, Is.Zero);
    }

    [Test]
    public async Task Events_of_a_day_without_a_partition_are_moved_all_the_same()
    {
        await feed.Slices.ExecuteAsync(
            "INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES ('2020-02-29T12:00:00Z', 'ada', 'test', '{}')");
        await using var sequencer = await Running.StartAsync(feed.Sequencer());

        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 1, "the old event moved");
    }

    [Test]
    public async Task A_broken_connection_is_replaced()
    {
        await using var sequencer = await Running.StartAsync(feed.Sequencer());
        await feed.AppendForAsync("ada");
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 1, "the sequencer leads");

        await feed.Slices.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await feed.AppendForAsync("ada");

        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 2, "the sequencer leads again");
    }
}
