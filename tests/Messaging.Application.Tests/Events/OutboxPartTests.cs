using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Messaging.Application.Tests.Events;

/// <summary>The outbox while something else stays open, and while who moves its events comes and goes.</summary>
public sealed class OutboxPartTests
{
    // What the session has walked over since it last reported it, rows that are dead included.
    private const string WalkedSql =
        """
        SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)::bigint
        FROM pg_index
        WHERE indrelid = 'outbox'::regclass OR indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'outbox'::regclass)
        """;

    private const string PartsSql = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'outbox'::regclass";

    private const string CurrentSql = "SELECT last_value FROM outbox_current";

    private FeedDatabase feed = null!;
    private NpgsqlConnection leading = null!;
    private OutboxMover mover = null!;

    [SetUp]
    public async Task StartAsync()
    {
        feed = await FeedDatabase.StartAsync();
        leading = await feed.Direct.Value.OpenConnectionAsync();
        mover = await OutboxMover.PrepareAsync(leading, (await feed.AcquireAsync("leader"))!, CancellationToken.None);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await mover.DisposeAsync();
        await leading.DisposeAsync();
        await feed.DisposeAsync();
    }

    [Test]
    public async Task An_empty_look_walks_over_few_rows_whatever_was_moved_under_an_open_snapshot()
    {
        await using var snapshot = await HoldAsync("SELECT count(*) FROM users");
        await FillAsync(100_000);
        await DrainAsync();

        Assert.That(await WalkedAsync(expected: 0), Is.LessThan(10_000));
        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(100_000));
    }

    [Test]
    public async Task A_full_look_walks_over_what_it_moves_alone_whatever_was_moved_under_an_open_snapshot()
    {
        await using var snapshot = await HoldAsync("SELECT count(*) FROM users");
        await FillAsync(100_000);
        for (var i = 0; i < 90; i++)
            await mover.MoveAsync(CancellationToken.None);

        Assert.That(await WalkedAsync(expected: OutboxMover.BatchSize), Is.LessThan(2 * OutboxMover.BatchSize));
    }

    [Test]
    public async Task An_empty_look_writes_nothing()
    {
        await FillAsync(1);
        await DrainAsync();
        await using var transaction = await leading.BeginTransactionAsync();

        await mover.MoveAsync(CancellationToken.None);

        Assert.That(await AskAsync<bool>("SELECT pg_current_xact_id_if_assigned() IS NULL"), Is.True);
    }

    [Test]
    public async Task A_dump_stops_neither_events_nor_writers_and_leaves_no_parts_behind()
    {
        var conversation = await feed.ConversationAsync();
        await using (await HoldAsync("LOCK TABLE outbox IN ACCESS SHARE MODE; SELECT count(*) FROM users"))
        {
            for (var i = 0; i < 10; i++)
            {
                await FillAsync(6_000);
                await feed.AppendAsync(conversation).WaitAsync(TimeSpan.FromSeconds(20));
                await DrainAsync();
            }
            Assert.That(await feed.CountAsync("feed"), Is.EqualTo(60_010));
            Assert.That(await WalkedAsync(expected: 0), Is.LessThan(10_000));
            Assert.That(await feed.Slices.ScalarAsync<long>(PartsSql), Is.InRange(5, 6));
        }
        for (var i = 0; i < 3; i++)
        {
            await FillAsync(6_000);
            await DrainAsync();
        }

        Assert.That(await feed.Slices.ScalarAsync<long>(PartsSql), Is.EqualTo(4));
        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(78_010));
    }

    [Test]
    public async Task An_event_that_commits_after_writers_moved_to_the_next_part_still_reaches_the_feed()
    {
        var (slow, quick) = (await feed.ConversationAsync(), await feed.ConversationAsync());
        await using var open = await feed.AppendOpenAsync(slow);
        var from = await feed.Slices.ScalarAsync<long>(CurrentSql);
        await FillAsync(12_000);
        await feed.AppendAsync(quick);
        await DrainAsync();
        Assert.That(await feed.Slices.ScalarAsync<long>(CurrentSql), Is.Not.EqualTo(from));
        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(12_001));

        await open.CommitAsync();
        await FillAsync(12_000);
        await DrainAsync();

        var told = await feed.Slices.ScalarAsync<long>("SELECT count(*) FROM feed WHERE conversation_id = @Id", new { Id = slow });
        Assert.That(told, Is.EqualTo(1));
        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(24_002));
    }

    [Test]
    public async Task A_writer_that_began_before_a_part_was_made_is_not_sent_to_it()
    {
        var conversation = await feed.ConversationAsync();
        await using var dump = await HoldAsync("LOCK TABLE outbox IN ACCESS SHARE MODE");
        await using var busy = await HoldAsync($"SELECT FROM conversations WHERE id = '{conversation}' FOR UPDATE");
        var late = feed.AppendAsync(conversation);
        await feed.Slices.UntilAsync(
            """
            SELECT EXISTS (
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%outbox%')
            """);
        for (var i = 0; i < 8; i++)
        {
            await FillAsync(6_000);
            await DrainAsync();
        }
        Assert.That(await feed.Slices.ScalarAsync<long>(PartsSql), Is.GreaterThan(4));

        await busy.CommitAsync();

        await late;
        await DrainAsync();
        Assert.That(
            await feed.Slices.ScalarAsync<long>("SELECT count(*) FROM feed WHERE conversation_id = @Id", new { Id = conversation }),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Who_leads_no_longer_sends_nobody_to_another_part()
    {
        await FillAsync(6_000);
        await feed.Slices.ExecuteAsync("UPDATE leases SET fencing = fencing + 1");

        for (var i = 0; i < 10; i++)
            await mover.MoveAsync(CancellationToken.None);

        Assert.That(await feed.Slices.ScalarAsync<long>(CurrentSql), Is.EqualTo(1));
        Assert.That(await feed.CountAsync("outbox"), Is.EqualTo(6_000));
    }

    [Test]
    public async Task A_lease_that_ran_out_for_a_while_leaves_no_event_behind()
    {
        await FillAsync(5_500);
        for (var i = 0; i < 5; i++)
            await mover.MoveAsync(CancellationToken.None);
        await feed.Slices.ExecuteAsync("UPDATE leases SET expires_at = now()");
        Assert.That((await mover.MoveAsync(CancellationToken.None)).Found, Is.EqualTo(500));

        await feed.Slices.ExecuteAsync("UPDATE leases SET expires_at = now() + interval '1 minute'");
        await DrainAsync();

        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(5_500));
    }

    [Test]
    public async Task A_new_leader_moves_what_is_left_in_any_part_in_the_order_in_which_it_happened()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO outbox (part, occurred_at, user_id, type, payload)
            SELECT (ARRAY[3, 2, 4, 1])[1 + i / 1000], now() + i * interval '1 ms', 'ada', 'test', jsonb_build_object('no', i)
            FROM generate_series(0, 3999) AS i
            """);

        await feed.Slices.ExecuteAsync("DELETE FROM leases");
        await feed.DrainAsync();

        Assert.That(
            await feed.Slices.ScalarAsync<bool>("SELECT count(*) = 4000 AND bool_and((payload ->> 'no')::int = position - 1) FROM feed"),
            Is.True);
    }

    [Test]
    public async Task A_restored_database_has_the_part_that_is_written_into()
    {
        await feed.Slices.ExecuteAsync("SELECT setval('outbox_current', 9)");

        await feed.Partitions.MakeAsync(CancellationToken.None);
        await FillAsync(10);
        await feed.Slices.ExecuteAsync("DELETE FROM leases");
        await feed.DrainAsync();

        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(10));
    }

    [Test]
    public async Task A_sequencer_killed_over_and_over_loses_and_doubles_nothing()
    {
        var conversations = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => feed.ConversationAsync()));
        await feed.Slices.ExecuteAsync("DELETE FROM leases");
        await using var own = new DirectDataSource(NpgsqlDataSource.Create(feed.Slices.ConnectionString + ";Application Name=sequencer"));
        await using var sequencer = await Running.StartAsync(
            new Sequencer(own, feed.Committed, feed.Events, feed.Moved, feed.Partitions, NullLogger<Sequencer>.Instance));

        var writers = conversations.Select(async conversation =>
        {
            for (var i = 0; i < 200; i++)
                await feed.AppendAsync(conversation);
        }).ToArray();
        for (var kill = 1; kill <= 6; kill++)
        {
            await FillAsync(4_000);
            await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") > kill * 3_000, "the sequencer is at it");
            await feed.Slices.ExecuteAsync(
                """
                SELECT pg_terminate_backend(pid)
                FROM pg_stat_activity
                WHERE application_name = 'sequencer' AND datname = current_database()
                """);
        }
        await Task.WhenAll(writers);
        await Eventually.HoldsAsync(async () => await feed.CountAsync("outbox") == 0, "all is moved");

        Assert.That(await feed.Slices.ScalarAsync<bool>("SELECT count(*) = 24800 AND count(DISTINCT position) = 24800 FROM feed"), Is.True);
        Assert.That(await feed.Slices.ScalarAsync<long>(FeedDatabase.ViolationsSql), Is.Zero);
    }

    private Task FillAsync(int events) => feed.Slices.ExecuteAsync(
        """
        INSERT INTO outbox (occurred_at, user_id, type, payload)
        SELECT clock_timestamp(), 'ada', 'test', '{}'
        FROM generate_series(1, @Events)
        """,
        new { Events = events });

    private async Task DrainAsync()
    {
        while ((await mover.MoveAsync(CancellationToken.None)).HasMore)
        {
        }
    }

    private async Task<long> WalkedAsync(int expected)
    {
        // It reports between transactions.
        await using var transaction = await leading.BeginTransactionAsync();
        var before = await AskAsync<long>(WalkedSql);
        Assert.That((await mover.MoveAsync(CancellationToken.None)).Count, Is.EqualTo(expected));
        var after = await AskAsync<long>(WalkedSql);
        await transaction.CommitAsync();
        return after - before;
    }

    private async Task<T> AskAsync<T>(string sql)
    {
        await using var command = new NpgsqlCommand(sql, leading);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private async Task<NpgsqlTransaction> HoldAsync(string sql)
    {
        var connection = await feed.Direct.Value.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync();
        return transaction;
    }
}
