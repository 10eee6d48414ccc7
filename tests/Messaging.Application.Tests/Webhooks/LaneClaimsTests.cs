using System.Data;
using Dapper;
using Messaging.Application.Tests.Common;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Webhooks;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Application.Tests.Webhooks;

public sealed class LaneClaimsTests
{
    private const string Webhook =
        """
        ALTER TABLE webhook_lanes SET (autovacuum_enabled = false);
        INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
        VALUES (@Id, 'http://127.0.0.1/', '{*}', '{}', true, '', now(), now(), 1);
        INSERT INTO webhook_places (webhook_id) VALUES (@Id)
        """;

    private const string Fill =
        """
        INSERT INTO webhook_lanes (webhook_id, lane, due_at)
        SELECT @Id, gen_random_uuid(), now() - interval '1 hour'
        FROM generate_series(1, @Count)
        """;

    // Lets the test do something between the moment that a look sees and its locks.
    private const string WaitInNow =
        """
        CREATE SCHEMA waiting;
        CREATE FUNCTION waiting.now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
        BEGIN
            IF current_query() LIKE '%webhook_lanes%' THEN
                PERFORM pg_advisory_lock_shared(1);
                PERFORM pg_advisory_unlock_shared(1);
            END IF;
            RETURN pg_catalog.now();
        END
        $$;
        SET search_path = waiting, public, pg_catalog
        """;

    private static readonly Guid Id = Guid.CreateVersion7();

    private readonly ManualTime time = new();
    private Slices slices = null!;
    private NpgsqlConnection connection = null!;
    private LaneClaims claims = null!;

    [SetUp]
    public async Task StartAsync()
    {
        slices = await Slices.StartAsync();
        // As the service does, which keeps the plan of a statement that it repeats.
        connection = new NpgsqlConnection(ConnectionStrings.ForDirectUse(slices.ConnectionString));
        await connection.OpenAsync();
        await connection.ExecuteAsync(LaneClaims.SessionSql);
        await connection.ExecuteAsync(Webhook, new { Id });
        claims = new LaneClaims(connection, new LaneLooks(time));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await connection.DisposeAsync();
        await slices.DisposeAsync();
    }

    [Test]
    public async Task A_look_passes_none_of_the_lanes_that_came_and_went_while_a_snapshot_is_open()
    {
        await TakeAsync(10);
        await using var dump = await slices.OpenAsync();
        await using var snapshot = await dump.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        await connection.ExecuteAsync(Fill, new { Id, Count = 5_000 });
        await connection.ExecuteAsync("DELETE FROM webhook_lanes");

        var before = await connection.BlocksAsync("webhook_lanes");

        await TakeAsync(10);

        Assert.That(await connection.BlocksAsync("webhook_lanes") - before, Is.LessThan(30));
    }

    // Its receiver asks for that as often as it likes.
    [Test]
    public async Task A_webhook_that_was_left_alone_is_not_looked_at_from_the_beginning_for_that()
    {
        await TakeAsync(10);
        await using var dump = await slices.OpenAsync();
        await using var snapshot = await dump.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        await connection.ExecuteAsync(Fill, new { Id, Count = 5_000 });
        await connection.ExecuteAsync("DELETE FROM webhook_lanes");
        await connection.ExecuteAsync("UPDATE webhook_places SET quiet_until = 'infinity'");
        await TakeAsync(10);
        await connection.ExecuteAsync("UPDATE webhook_places SET quiet_until = '-infinity'");
        var before = await connection.BlocksAsync("webhook_lanes");

        await TakeAsync(10);

        Assert.That(await connection.BlocksAsync("webhook_lanes") - before, Is.LessThan(30));
    }

    // Those that were looked at from the beginning the longest time ago come first: not all are at once.
    [Test]
    public async Task Webhooks_take_turns_at_being_looked_at_from_the_beginning()
    {
        var slow = new SlowTime();
        claims = new LaneClaims(connection, new LaneLooks(slow));
        var ids = new[] { Id, Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7() };
        foreach (var id in ids[1..])
            await connection.ExecuteAsync(Webhook, new { Id = id });
        foreach (var id in ids)
            await connection.ExecuteAsync(Fill, new { Id = id, Count = 1 });

        var taken = new List<int>();
        for (var i = 0; i < ids.Length; i++)
        {
            taken.Add(await TakeAsync(10));
            slow.Advance();
        }

        Assert.That(taken, Is.EqualTo((int[])[1, 1, 1, 1]));
    }

    // Also with a plan that was made while there were few.
    [Test]
    public async Task A_lane_is_taken_without_a_look_at_those_that_came_and_went()
    {
        await connection.ExecuteAsync(Fill, new { Id, Count = 40 });
        await connection.ExecuteAsync("ANALYZE webhook_lanes");
        foreach (var count in new[] { 1, 1, 100 })
            await TakeAsync(count);
        await using var dump = await slices.OpenAsync();
        await using var snapshot = await dump.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        await connection.ExecuteAsync(Fill, new { Id, Count = 20_000 });
        await connection.ExecuteAsync("DELETE FROM webhook_lanes");
        await connection.ExecuteAsync("INSERT INTO webhook_lanes (webhook_id, lane, due_at) VALUES (@Id, @Id, now())", new { Id });
        var before = await connection.BlocksAsync("webhook_lanes");

        Assert.That(await TakeAsync(10), Is.EqualTo(1));

        Assert.That(await connection.BlocksAsync("webhook_lanes") - before, Is.LessThan(40));
    }

    [Test]
    public async Task A_look_goes_on_where_the_last_one_ended_that_had_no_room_for_all()
    {
        await connection.ExecuteAsync(
            "INSERT INTO webhook_lanes (webhook_id, lane, due_at) SELECT @Id, gen_random_uuid(), now() - make_interval(secs => n) "
            + "FROM generate_series(1, 20000) AS n", new { Id });
        await using var dump = await slices.OpenAsync();
        await using var snapshot = await dump.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        var first = await BlocksAsync();
        Assert.That(await TakeAsync(19_900), Is.EqualTo(19_900));
        // The webhook has all that it may have.
        await claims.TakeAsync(new Dictionary<Guid, int> { [Id] = 10 }, 10, 100, CancellationToken.None);

        Assert.That(await BlocksAsync(), Is.LessThan(first + 60));

        async Task<long> BlocksAsync()
        {
            var before = await connection.BlocksAsync("webhook_lanes");
            Assert.That(await TakeAsync(10), Is.EqualTo(10));
            return await connection.BlocksAsync("webhook_lanes") - before;
        }
    }

    // The first look has room for some of them, and while the webhook is left alone there is none.
    [Test]
    public async Task Lanes_that_a_look_left_are_taken_by_the_next_ones_however_long_they_have_been_due()
    {
        await connection.ExecuteAsync(Fill, new { Id, Count = 7 });

        Assert.That((await TakeAsync(3), await TakeAsync(3)), Is.EqualTo((3, 3)));

        await connection.ExecuteAsync("UPDATE webhook_places SET quiet_until = 'infinity'");
        Assert.That(await TakeAsync(3), Is.Zero);
        await connection.ExecuteAsync("UPDATE webhook_places SET quiet_until = '-infinity'");
        Assert.That((await TakeAsync(3), await TakeAsync(3)), Is.EqualTo((1, 0)));
    }

    // As a message does with the lane that it comes to.
    [TestCase(2, 20)]
    [TestCase(10, 3)]
    [TestCase(10, 20)]
    public async Task Lanes_that_were_changed_while_a_look_was_on_its_way_hide_no_others(int perWebhook, int room)
    {
        var other = Guid.CreateVersion7();
        await connection.ExecuteAsync(Webhook, new { Id = other });
        await WaitInNowAsync();
        foreach (var id in new[] { Id, other })
            await connection.ExecuteAsync(Fill, new { Id = id, Count = 3 });

        var look = await TakeWhileAsync("UPDATE webhook_lanes SET due_at = due_at", perWebhook, room);

        // Those of the webhook that came second.
        Assert.That(look.Select(lane => lane.WebhookId).Distinct().Count(), Is.EqualTo(1));
        Assert.That(look.Count + await TakeAsync(10), Is.EqualTo(6));
    }

    [Test]
    public async Task A_lane_that_was_changed_while_a_look_was_on_its_way_is_found_by_the_next_one_however_long_it_has_been_due()
    {
        await WaitInNowAsync();
        await connection.ExecuteAsync(
            "INSERT INTO webhook_lanes (webhook_id, lane, due_at) "
            + "SELECT @Id, lpad(n::text, 32, '0')::uuid, now() - make_interval(hours => n) FROM generate_series(1, 3) AS n", new { Id });

        var look = await TakeWhileAsync("UPDATE webhook_lanes SET due_at = due_at WHERE due_at < now() - interval '150 minutes'", 10, 20);

        Assert.That(look, Has.Count.EqualTo(2));
        Assert.That(await TakeAsync(10), Is.EqualTo(1));
    }

    // What has been due for the longest is locked by another node, which then does not take it.
    [Test]
    public async Task A_lane_that_was_locked_waits_no_longer_than_a_second_while_others_are_always_due()
    {
        await connection.ExecuteAsync(
            "INSERT INTO webhook_lanes (webhook_id, lane, due_at) "
            + "SELECT @Id, lpad(n::text, 32, '0')::uuid, now() - make_interval(hours => n) FROM generate_series(1, 4) AS n", new { Id });
        await using (var other = await slices.OpenAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await other.ExecuteAsync("SELECT FROM webhook_lanes ORDER BY due_at LIMIT 1 FOR UPDATE", transaction: transaction);
            Assert.That(await TakeOneAsync(), Is.EqualTo("3"));
        }
        Assert.That(await TakeOneAsync(), Is.EqualTo("2"));

        time.Advance(DueFrom.WholeOfMany);

        Assert.That(await TakeOneAsync(), Is.EqualTo("4"));

        async Task<string> TakeOneAsync() =>
            (await claims.TakeAsync(new Dictionary<Guid, int>(), 1, 1, CancellationToken.None)).Single().Lane.ToString("N").TrimStart('0');
    }

    [Test]
    public async Task A_lane_that_is_committed_long_after_it_was_due_is_found_by_a_look_from_the_beginning()
    {
        await TakeAsync(10);
        await connection.ExecuteAsync(Fill, new { Id, Count = 1 });

        Assert.That(await TakeAsync(10), Is.Zero);
        time.Advance(DueFrom.Whole);
        Assert.That(await TakeAsync(10), Is.EqualTo(1));
    }

    private async Task WaitInNowAsync()
    {
        await connection.ExecuteAsync(WaitInNow);
        // Or the look would wait while it is planned, before it sees anything.
        for (var i = 0; i < 3; i++)
            await TakeAsync(10);
        claims = new LaneClaims(connection, new LaneLooks(time));
    }

    // What another does stands between what the look sees and its locks.
    private async Task<List<ClaimedLane>> TakeWhileAsync(string sql, int perWebhook, int room)
    {
        await using var other = await slices.OpenAsync();
        await other.ExecuteAsync("SELECT pg_advisory_lock(1)");
        var look = claims.TakeAsync(new Dictionary<Guid, int>(), perWebhook, room, CancellationToken.None);
        await slices.UntilAsync(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'");
        await other.ExecuteAsync(sql);
        await other.ExecuteAsync("SELECT pg_advisory_unlock(1)");
        return await look;
    }

    private async Task<int> TakeAsync(int perWebhook) =>
        (await claims.TakeAsync(new Dictionary<Guid, int>(), perWebhook, 20_000, CancellationToken.None)).Count;

    // Whatever is done between two looks at it takes long.
    private sealed class SlowTime : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now += TimeSpan.FromMilliseconds(100).Ticks;

        public void Advance() => now += TimeSpan.FromMinutes(1).Ticks;
    }
}
