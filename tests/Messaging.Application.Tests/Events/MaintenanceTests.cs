using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Retention;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class MaintenanceTests
{
    private const string RepliesAreIndexedSql =
        """
        SELECT bool_and(i.indisvalid) AND count(*) = 1 + (SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass)
        FROM pg_index i
        WHERE i.indexrelid = 'ix_messages_replies'::regclass
            OR i.indexrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ix_messages_replies'::regclass)
        """;

    private const string BuiltSql = "SELECT ('messages_' || to_char(now(), 'YYYY_MM') || '_ix_messages_replies')::regclass::oid::bigint";

    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync() => feed = await FeedDatabase.StartAsync();

    [TearDown]
    public async Task StopAsync() => await feed.DisposeAsync();

    [Test]
    public async Task Starting_nodes_make_the_partitions_ahead_all_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using var maintenance = Maintenance();
            await maintenance.StartAsync(CancellationToken.None);
            Assert.That(maintenance.HasPartitions, Is.True);
            await maintenance.StopAsync(CancellationToken.None);
        }));

        Assert.That(await HasAsync("messages_", "to_char(now() + interval '2 months', 'YYYY_MM')"), Is.True);
        Assert.That(await HasAsync("feed_", "to_char(now() + interval '2 days', 'YYYY_MM_DD')"), Is.True);
    }

    [Test]
    public async Task Days_that_are_over_are_dropped_and_cursors_into_them_expire()
    {
        await feed.Slices.ExecuteAsync("SELECT create_feed_partition(current_date - 8), create_feed_partition(current_date - 7)");
        await OwnEventAsync(days: 8);
        await OwnEventAsync(days: 7);
        var (epoch, end) = await feed.EndAsync();

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.CountAsync("feed"), Is.EqualTo(1));
        Assert.That(await HasAsync("feed_", "to_char(now() - interval '8 days', 'YYYY_MM_DD')"), Is.False);
        Assert.That((await ListAsync(new FeedCursor(epoch, end - 1))).Events, Has.Count.EqualTo(1));
        Assert.That(
            (await Assert.ThrowsAsync<RuleException>(() => ListAsync(new FeedCursor(epoch, end - 2))))!.Problem.Code,
            Is.EqualTo(ProblemCodes.CursorExpired));
    }

    [Test]
    public async Task An_empty_day_that_is_over_expires_nothing()
    {
        await OwnEventAsync(days: 0);
        await feed.Slices.ExecuteAsync("SELECT create_feed_partition(current_date - 20)");

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.Slices.ScalarAsync<long>("SELECT expired_position FROM feed_state"), Is.Zero);
    }

    [Test]
    public async Task Somebody_who_reads_the_feed_for_long_is_not_waited_for()
    {
        await feed.Slices.ExecuteAsync("SELECT create_feed_partition(current_date - 20)");
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await using var dump = await connection.BeginTransactionAsync();
        await using var read = new NpgsqlCommand("SELECT count(*) FROM feed", connection, dump);
        await read.ExecuteScalarAsync();

        await Maintenance().ClearAsync(CancellationToken.None);
        await OwnEventAsync(days: 0);

        Assert.That(await HasAsync("feed_", "to_char(now() - interval '20 days', 'YYYY_MM_DD')"), Is.True);
    }

    [Test]
    public async Task Keys_of_retries_are_forgotten_when_their_time_is_over()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO message_keys (sender_id, conversation_id, client_key, seq, created_at, fingerprint)
            SELECT 'ada', gen_random_uuid(), 'key', 1, now() - (CASE WHEN i <= 2500 THEN interval '9 days' ELSE interval '7 days' END), ''
            FROM generate_series(1, 2510) AS i;
            INSERT INTO idempotency_keys (owner, key, fingerprint, status, headers, body, created_at)
            SELECT 'ada', i::text, '', 201, '{}', '', now() - i * interval '1 day'
            FROM generate_series(1, 3) AS i
            """);

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.CountAsync("message_keys"), Is.EqualTo(10));
        Assert.That(await feed.CountAsync("idempotency_keys"), Is.EqualTo(1));
    }

    [Test]
    public async Task Logins_and_failures_that_are_over_are_forgotten()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO users (id, created_at, updated_at) VALUES ('anna', now(), now());
            INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at)
            VALUES ('anna', 'anna', '$2b$04$' || repeat('x', 53), now(), now());
            INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
            SELECT sha256(i::text::bytea), '', 'anna', now(), now() - interval '30 days' + (i - 2500.5) * interval '1 minute'
            FROM generate_series(1, 2510) AS i;
            INSERT INTO login_failures (username, failures, ends_at)
            SELECT 'name' || i, 1, now() + (i - 1.5) * interval '1 minute'
            FROM generate_series(1, 3) AS i
            """);

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.CountAsync("refresh_tokens"), Is.EqualTo(10));
        Assert.That(await feed.CountAsync("login_failures"), Is.EqualTo(2));
    }

    [Test]
    public async Task Who_was_in_a_deleted_group_is_forgotten_when_the_day_of_the_last_who_left_it_is_over()
    {
        var ada = await feed.Slices.UserAsync();
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO departures (conversation_id, user_id, ends_at)
            SELECT gen_random_uuid(), @Ada, now() + (i - 1.5) * interval '1 minute'
            FROM generate_series(1, 3) AS i
            """,
            new { Ada = ada.Value });

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.CountAsync("departures"), Is.EqualTo(2));
    }

    [Test]
    public async Task Revocations_are_deleted_after_two_days_except_those_of_all_tokens_of_a_user()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO revocations (kind, subject, revoked_at)
            SELECT kind, subject, now() - days * interval '1 day'
            FROM unnest(ARRAY['key', 'session', 'connections', 'tokens']) AS kind, (VALUES ('old', 3), ('new', 1)) AS t (subject, days)
            """);

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(await feed.CountAsync("revocations"), Is.EqualTo(5));
        Assert.That(await feed.Slices.ScalarAsync<string>("SELECT kind FROM revocations WHERE subject = 'old'"), Is.EqualTo("tokens"));
    }

    [Test]
    public async Task Notifications_and_devices_are_forgotten_when_their_time_is_over()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO users (id, created_at, updated_at) VALUES ('ada', now(), now());
            INSERT INTO notifications (id, user_id, type, conversation_id, seqs, seq, sent_at, message_id, created_at, raised_at)
            SELECT gen_random_uuid(), 'ada', 'message', gen_random_uuid(), '{[1,2)}', 1, now(), gen_random_uuid(),
                now() - interval '1 year', now() - age
            FROM unnest(ARRAY['91 days', '89 days']::interval[]) AS age;
            INSERT INTO devices (user_id, device_id, platform, token, created_at, last_seen_at)
            SELECT 'ada', age, 'ios', age, now() - interval '1 year', now() - age::interval
            FROM unnest(ARRAY['271 days', '269 days']) AS age
            """);

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That((await feed.CountAsync("notifications"), await feed.CountAsync("devices")), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task An_old_device_that_somebody_has_locked_is_not_waited_for()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO users (id, created_at, updated_at) VALUES ('ada', now(), now());
            INSERT INTO devices (user_id, device_id, platform, token, created_at, last_seen_at)
            SELECT 'ada', device, 'ios', device, now() - interval '1 year', now() - interval '1 year'
            FROM unnest(ARRAY['locked', 'free']) AS device
            """);
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await using var registering = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("SELECT FROM devices WHERE device_id = 'locked' FOR UPDATE", connection, registering);
        await hold.ExecuteNonQueryAsync();

        await Maintenance().ClearAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(await feed.Slices.ScalarAsync<string>("SELECT string_agg(device_id, ' ') FROM devices"), Is.EqualTo("locked"));
    }

    [Test]
    public async Task Outcomes_of_posts_are_kept_for_a_week_and_waiting_posts_for_ever()
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO host_posts (posted_by, posted_at, message, code, done_at)
            SELECT 'host', now() - days * interval '1 day', CASE WHEN NOT done THEN '{}'::jsonb END, CASE WHEN done THEN 'not-found' END,
                CASE WHEN done THEN now() - days * interval '1 day' END
            FROM (VALUES (6, true), (8, true), (8, false)) AS v (days, done)
            """);

        await Maintenance().ClearAsync(CancellationToken.None);

        Assert.That(
            await feed.Slices.ScalarAsync<string>(
                "SELECT string_agg(coalesce(code, 'waiting'), ' ' ORDER BY posted_at) FROM host_posts"),
            Is.EqualTo("waiting not-found"));
    }

    [Test]
    public async Task An_index_that_a_script_made_on_the_parent_alone_is_built_on_every_partition()
    {
        await feed.Slices.ExecuteAsync(
            """
            DROP INDEX ix_messages_replies;
            SELECT create_messages_partition((current_date + interval '1 month')::date);
            CREATE INDEX ix_messages_replies ON ONLY messages (conversation_id, reply_to_seq, seq) WHERE reply_to_seq IS NOT NULL;
            SELECT create_messages_partition((current_date + interval '2 months')::date)
            """);
        Assert.That(await feed.Slices.ScalarAsync<bool>(RepliesAreIndexedSql), Is.False);

        await Indexes().BuildAsync(CancellationToken.None);
        await Indexes().BuildAsync(CancellationToken.None);

        Assert.That(await feed.Slices.ScalarAsync<bool>(RepliesAreIndexedSql), Is.True);
    }

    [Test]
    public async Task A_node_that_starts_builds_missing_indexes_although_another_cleared_away_within_the_hour()
    {
        await MissTheIndexOfRepliesAsync();
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO leases (name, holder, fencing, expires_at) VALUES ('maintenance', 'another', 1, now() + interval '1 hour')
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
            """);

        using var maintenance = Maintenance();
        await maintenance.StartAsync(CancellationToken.None);
        await feed.Slices.UntilAsync(RepliesAreIndexedSql);
        await maintenance.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_node_leaves_an_index_alone_that_another_is_building()
    {
        await MissTheIndexOfRepliesAsync();
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await using var older = await connection.BeginTransactionAsync();
        await using var write = new NpgsqlCommand("LOCK TABLE messages IN ROW EXCLUSIVE MODE", connection, older);
        await write.ExecuteNonQueryAsync();

        var building = Indexes().BuildAsync(CancellationToken.None);
        await feed.Slices.UntilAsync(
            "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE 'waiting%')");
        await Indexes().BuildAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        await older.CommitAsync();
        await building;

        Assert.That(await feed.Slices.ScalarAsync<bool>(RepliesAreIndexedSql), Is.True);
    }

    [Test]
    public async Task An_index_that_cannot_be_attached_now_makes_nobody_wait_and_is_attached_later_as_it_is()
    {
        await MissTheIndexOfRepliesAsync();
        await feed.Slices.ExecuteAsync(
            """
            DO $$ BEGIN EXECUTE format(
                'CREATE INDEX messages_%s_ix_messages_replies ON messages_%1$s '
                || '(conversation_id, reply_to_seq, seq) WHERE reply_to_seq IS NOT NULL',
                to_char(now(), 'YYYY_MM')); END $$
            """);
        var built = await feed.Slices.ScalarAsync<long>(BuiltSql);
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await using var dump = await connection.BeginTransactionAsync();
        await using var read = new NpgsqlCommand("SELECT count(*) FROM messages", connection, dump);
        await read.ExecuteScalarAsync();

        await Indexes().BuildAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.That(await feed.Slices.ScalarAsync<bool>(RepliesAreIndexedSql), Is.False);
        await dump.CommitAsync();
        await Indexes().BuildAsync(CancellationToken.None);

        Assert.That(await feed.Slices.ScalarAsync<bool>(RepliesAreIndexedSql), Is.True);
        Assert.That(await feed.Slices.ScalarAsync<long>(BuiltSql), Is.EqualTo(built));
    }

    // As after a script that makes the index on the parent alone.
    private Task MissTheIndexOfRepliesAsync() => feed.Slices.ExecuteAsync(
        """
        DROP INDEX ix_messages_replies;
        CREATE INDEX ix_messages_replies ON ONLY messages (conversation_id, reply_to_seq, seq) WHERE reply_to_seq IS NOT NULL
        """);

    private PartitionIndexes Indexes() => new(feed.Direct, NullLogger<PartitionIndexes>.Instance);

    private Maintenance Maintenance() => new(
        feed.Direct, feed.Partitions, Indexes(), new RowCleanup(feed.Direct, Modules(), new RetentionSettings(), SystemClock.Instance),
        new RetentionSettings(), SystemClock.Instance,
        NullLogger<Maintenance>.Instance);

    private static IReadOnlyList<Module> Modules() => Module.FindIn(typeof(Module).Assembly, typeof(RowCleanup).Assembly);

    private async Task OwnEventAsync(int days)
    {
        await feed.Slices.ExecuteAsync(
            "INSERT INTO outbox (occurred_at, user_id, type, payload) "
                + "VALUES (now() - make_interval(days => @Days), 'ada', 'test:own', '{}')",
            new { Days = days });
        await feed.DrainAsync();
    }

    private Task<bool> HasAsync(string prefix, string suffix) =>
        feed.Slices.ScalarAsync<bool>($"SELECT to_regclass('{prefix}' || {suffix}) IS NOT NULL");

    private Task<EventPage> ListAsync(FeedCursor since) =>
        feed.Slices.SendAsync(new ListEvents(new Actor(new UserId("ada")), since.ToString(), 100));
}
