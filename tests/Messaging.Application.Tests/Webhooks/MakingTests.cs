using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Tests.Events;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Infrastructure.Webhooks;
using Messaging.Testing;
using Microsoft.Extensions.Logging;

namespace Messaging.Application.Tests.Webhooks;

/// <summary>What is made of the feed for webhooks, and not yet sent.</summary>
public sealed class MakingTests
{
    private readonly DeliverySignal signal = new();
    private LogRecorder logs = null!;
    private ILoggerFactory loggers = null!;
    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync()
    {
        feed = await FeedDatabase.StartAsync();
        loggers = LoggerFactory.Create(logging => logging.AddProvider(logs = new LogRecorder()));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await feed.DisposeAsync();
        loggers.Dispose();
    }

    [OneTimeTearDown]
    public void Stop() => signal.Dispose();

    // Eve has yet to accept, bob came later, and dan has deleted a message for himself.
    [Test]
    public async Task A_webhook_of_a_user_gets_what_the_user_hears()
    {
        var group = await feed.ConversationAsync("ada", "eve", "bob", "dan");
        await feed.Slices.ExecuteAsync(
            """
            UPDATE participants SET pending = true WHERE user_id = 'eve';
            UPDATE participants SET joined_seq = 5, cleared_seq = 5 WHERE user_id = 'bob';
            UPDATE participants SET has_gaps = true WHERE user_id = 'dan';
            INSERT INTO message_hidden (conversation_id, user_id, seq) VALUES (@Group, 'dan', 7)
            """,
            new { Group = group });
        foreach (var user in (string[])["ada", "eve", "bob", "dan"])
            await AddAsync(1, user);
        await using var node = await FollowAsync();

        await TellAsync("conversation:created", group);
        await TellAsync("message:new", group, seq: 3);
        await TellAsync("message:new", group, seq: 7);
        await TellAsync("settings:updated", group, user: "eve");
        await TellAsync("notification:new", group, user: "eve");
        await TellAsync("message:new", await feed.ConversationAsync("ada", "eve", "bob", "dan"), seq: 9);
        await MadeAsync("webhook_deliveries d JOIN feed f USING (position)", "f.seq = 9", 4);

        Assert.That(
            await feed.Slices.ScalarAsync<string>(
                """
                SELECT string_agg(told.line, '; ' ORDER BY told.line)
                FROM (
                    SELECT w.user_ids[1] || ' ' || string_agg(d.type || coalesce('/' || f.seq, ''), ' ' ORDER BY d.position) AS line
                    FROM webhook_deliveries d
                    JOIN feed f ON f.position = d.position
                    JOIN webhooks w ON w.id = d.webhook_id
                    WHERE f.conversation_id = @Group
                    GROUP BY w.id
                ) AS told
                """,
                new { Group = group }),
            Is.EqualTo(
                "ada conversation:created message:new/3 message:new/7; bob message:new/7; dan conversation:created message:new/3; "
                + "eve settings:updated"));
    }

    [Test]
    public async Task A_page_of_the_feed_for_a_thousand_webhooks_is_made_in_parts()
    {
        await AddAsync(1000);
        await using var node = await FollowAsync();

        await TellAsync("message:new", await feed.ConversationAsync("ada"), count: 12);

        await MadeAsync("webhook_deliveries", "true", 12_000);
        Assert.That(
            await feed.Slices.ScalarAsync<long>(
                "SELECT max(made) FROM (SELECT count(*) AS made FROM webhook_deliveries GROUP BY xmin::text) AS transactions"),
            Is.LessThanOrEqualTo(10_000));
    }

    // It rests only where nothing is left: it would never come to the end.
    [Test]
    public async Task One_that_is_far_behind_is_led_to_the_end_without_a_rest_and_past_what_fails()
    {
        var group = await feed.ConversationAsync("ada");
        await TellAsync("message:new", group, count: 2_500);
        await AddAsync(25);
        await feed.Slices.ExecuteAsync(
            """
            UPDATE webhooks SET created_at = created_at - interval '1 hour';
            INSERT INTO webhook_places (webhook_id, position)
            SELECT id, CASE WHEN id = (SELECT max(id::text)::uuid FROM webhooks) THEN 0 ELSE 2500 END FROM webhooks;
            ALTER TABLE webhook_deliveries ADD CONSTRAINT ck_test CHECK (position <> 1500)
            """);

        await using var node = await FollowAsync(Timeout.InfiniteTimeSpan);

        await MadeAsync("webhook_deliveries", "true", 2_499);
        await MadeAsync("webhook_places", "position IS NULL", 25);
        Assert.That(logs.Lines, Has.Exactly(1).StartsWith("Error").And.Some.Contains("pass over the event at 1500 (message:new)"));
    }

    // The node that goes before has not saved its place yet where events have led to nothing.
    [Test]
    public async Task One_that_catches_up_gets_nothing_twice_when_another_node_goes_on()
    {
        var group = await feed.ConversationAsync("ada");
        await AddAsync(1);
        await feed.Slices.ExecuteAsync(
            """
            UPDATE webhooks SET enabled = false;
            INSERT INTO webhook_places (webhook_id, position) SELECT id, (SELECT max(last_position) FROM feed_state) FROM webhooks
            """);
        await using (await FollowAsync(saveEvery: TimeSpan.MaxValue))
        {
            await TellAsync("message:new", group, count: 5);
            await feed.Slices.ExecuteAsync("UPDATE webhooks SET enabled = true");
            await TellAsync("message:new", group);
            await MadeAsync("webhook_places", "position IS NULL", 1);
        }

        await using var next = await FollowAsync();
        await TellAsync("message:new", group);
        await MadeAsync("webhook_deliveries", "position = (SELECT max(position) FROM feed)", 1);

        Assert.That(await feed.CountAsync("webhook_deliveries"), Is.EqualTo(7));
    }

    [Test]
    public async Task An_event_that_cannot_be_made_is_counted_and_logged_without_its_content_and_costs_no_other()
    {
        var counted = new ConcurrentQueue<string>();
        using var metrics = new MeterListener();
        metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "messaging.webhooks.unrendered")
                listener.EnableMeasurementEvents(instrument);
        };
        metrics.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Enqueue($"{tags[0].Value}"));
        metrics.Start();
        await AddAsync(1);
        await using var node = await FollowAsync(sources: new Unmade());
        var group = await feed.ConversationAsync("ada");

        await TellAsync("message:new", group, seq: 1);
        await TellAsync("settings:updated", group, user: "ada");

        await MadeAsync("webhook_deliveries", "type = 'settings:updated'", 1);
        Assert.That(await feed.CountAsync("webhook_deliveries"), Is.EqualTo(1));
        Assert.That(counted, Is.EqualTo((string[])["message:new"]));
        Assert.That(logs.Lines, Has.Exactly(1).StartsWith("Error").And.None.Contains("a-secret-text"));
    }

    [Test]
    public async Task Events_of_one_user_wait_in_one_lane_and_those_of_another_in_another()
    {
        await AddAsync(1);
        await using var node = await FollowAsync();

        await TellAsync(BlockChanged.Name, conversation: null, user: "ada", count: 2);
        await TellAsync(BlockChanged.Name, conversation: null, user: "eve");

        await MadeAsync("webhook_deliveries", "true", 3);
        Assert.That(await GroupsAsync("lane", "true"), Is.EqualTo("1 2"));
    }

    // One of the two webhooks asks for everything.
    [Test]
    public async Task An_event_told_both_to_one_user_and_to_all_comes_once_unless_everything_is_asked_for()
    {
        await AddAsync(2);
        await feed.Slices.ExecuteAsync("UPDATE webhooks SET event_types = '{}' WHERE id = (SELECT id FROM webhooks ORDER BY id LIMIT 1)");
        await using var node = await FollowAsync();
        var group = await feed.ConversationAsync("ada");

        await TellAsync("conversation:created", group, user: "ada");
        await TellAsync("conversation:created", group);
        await TellAsync("message:new", group);

        await MadeAsync("webhook_deliveries", "type = 'message:new'", 2);
        Assert.That(await GroupsAsync("webhook_id", "type = 'conversation:created'"), Is.EqualTo("1 2"));
    }

    [Test]
    public async Task A_webhook_that_fails_is_left_behind_while_two_thousand_wait_and_led_on_once_fewer_than_half_do()
    {
        await AddAsync(2);
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO webhook_places (webhook_id, failures) SELECT id, 3 * (row_number() OVER () - 1) FROM webhooks;
            INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, next_at, created_at)
            SELECT gen_random_uuid(), w.id, w.id, n, n, 'message:new', '', now(), now()
            FROM webhooks w, generate_series(1, 2000) AS n
            """);
        await using var node = await FollowAsync(poll: TimeSpan.FromMilliseconds(50));

        await MadeAsync("webhook_places", "failures = 3 AND position IS NOT NULL", 1);
        Assert.That(await feed.Slices.ScalarAsync<long>("SELECT count(*) FROM webhook_places WHERE position IS NULL"), Is.EqualTo(1));

        await feed.Slices.ExecuteAsync("DELETE FROM webhook_deliveries WHERE position > 999");
        await MadeAsync("webhook_places", "position IS NULL", 2);
    }

    private Task<string> GroupsAsync(string by, string which) => feed.Slices.ScalarAsync<string>(
        $"""
        SELECT string_agg(made::text, ' ' ORDER BY made)
        FROM (SELECT count(*) AS made FROM webhook_deliveries WHERE {which} GROUP BY {by}) AS groups
        """);

    private Task AddAsync(int count, params string[] users) => feed.Slices.ExecuteAsync(
        """
        INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
        SELECT gen_random_uuid(), 'http://127.0.0.1/', '{*}', @Users, true, '', now(), now(), 1
        FROM generate_series(1, @Count)
        """,
        new { Count = count, Users = users });

    private async Task<Running> FollowAsync(TimeSpan? poll = null, TimeSpan? saveEvery = null, params IEventSource[] sources)
    {
        var running = await Running.StartAsync(new WebhookFollower(
            feed.Direct, feed.Moved, new EventRenderer(sources), signal, loggers.CreateLogger<WebhookFollower>())
        {
            Poll = poll ?? TimeSpan.FromSeconds(1),
            SaveEvery = saveEvery ?? TimeSpan.FromSeconds(1),
        });
        await MadeAsync("feed_followers", "true", 1);
        return running;
    }

    private async Task TellAsync(string type, Guid? conversation, long? seq = null, string? user = null, int count = 1)
    {
        await feed.Slices.ExecuteAsync(
            """
            INSERT INTO outbox (occurred_at, conversation_id, event_no, seq, user_id, type, payload)
            SELECT clock_timestamp(), @Conversation::uuid, CASE WHEN @Conversation::uuid IS NOT NULL THEN n END, @Seq, @User, @Type, '{}'
            FROM generate_series(1, @Count) AS n
            """,
            new { Type = type, Conversation = conversation, Seq = seq, User = user, Count = count });
        await feed.DrainAsync();
        feed.Moved.Announce((await feed.EndAsync()).Position);
    }

    private Task MadeAsync(string table, string which, long count) => Eventually.HoldsAsync(
        async () => await feed.Slices.ScalarAsync<long>($"SELECT count(*) FROM {table} WHERE {which}") == count, $"{count} {table}");

    private sealed class Unmade : IEventSource
    {
        public IReadOnlyCollection<string> Types { get; } = ["message:new"];

        public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader) => new(
            "", new { }, _ => Task.FromResult<Func<FeedRow, object?>>(_ => throw new FormatException("a-secret-text")));
    }
}
