using Messaging.Application.Events;
using Messaging.Application.Webhooks;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Webhooks;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Webhooks;

public sealed class DeliveryResultsTests
{
    private static readonly Guid Id = Guid.CreateVersion7();

    // A delivery that waits for its third try, of a webhook at which nothing gets through.
    private const string Waiting =
        """
        INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
        VALUES (@Id, 'http://127.0.0.1/', '{*}', '{}', true, '', now(), now(), 1);
        INSERT INTO webhook_places (webhook_id, failures, failing_since) VALUES (@Id, 10, now());
        INSERT INTO webhook_lanes (webhook_id, lane, claim, claimed_until, due_at) VALUES (@Id, @Id, 7, now() + interval '1 hour', now());
        INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, tries, next_at, attempts, created_at)
        VALUES (@Id, @Id, @Id, 1, '1', 'message:new', '', 2, now(), '[{}, {}]', now())
        """;

    private const string Stand =
        """
        SELECT d.tries || ' tries, ' || jsonb_array_length(d.attempts) || ' in the log, ' || p.failures || ' failures'
        FROM webhook_deliveries d
        JOIN webhook_places p USING (webhook_id)
        """;

    // The answer to the first commit was lost.
    [Test]
    public async Task Results_that_are_written_again_count_once()
    {
        await using var slices = await Slices.StartAsync();
        await using var database = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
        await slices.ExecuteAsync(Waiting, new { Id });
        var attempt = new DeliveryAttempt(SystemClock.Instance.GetCurrentInstant(), 503, "The answer was 503.", 12);
        var tried = new TriedDelivery(new ClaimedLane(Id, Id, 7), Id, attempt) { State = WebhookDeliveryState.Pending, Wait = 60 };

        await WriteAsync(database, tried);
        await WriteAsync(database, tried);

        Assert.That(await slices.ScalarAsync<string>(Stand), Is.EqualTo("3 tries, 3 in the log, 11 failures"));
    }

    // Of webhooks that have failed 1, 2, 10 and 10 times, and of which the last one asks for half an hour.
    [Test]
    public async Task A_webhook_is_left_alone_from_its_third_failure_on_longer_and_longer_or_as_long_as_it_asks()
    {
        await using var slices = await Slices.StartAsync();
        await using var database = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
        var attempt = new DeliveryAttempt(SystemClock.Instance.GetCurrentInstant(), 503, "The answer was 503.", 12);
        var tried = new List<TriedDelivery>();
        foreach (var (failures, asked) in ((int, int)[])[(1, 0), (2, 0), (10, 0), (10, 1800)])
        {
            var id = Guid.CreateVersion7();
            await slices.ExecuteAsync(Waiting, new { Id = id });
            await slices.ExecuteAsync("UPDATE webhook_places SET failures = @Failures WHERE webhook_id = @Id", new { failures, id });
            tried.Add(new TriedDelivery(new ClaimedLane(id, id, 7), id, attempt)
            {
                State = WebhookDeliveryState.Pending, Wait = 60, Asked = asked, IsFresh = true,
            });
        }

        await WriteAsync(database, [.. tried]);

        Assert.That(
            await slices.ScalarAsync<string>(
                """
                SELECT string_agg(
                    extract(epoch FROM p.quiet_until - d.next_at + interval '60 s')::integer::text, ' ' ORDER BY p.failures, p.quiet_until)
                FROM webhook_deliveries d
                JOIN webhook_places p USING (webhook_id)
                """),
            Is.EqualTo("0 5 300 1800"));
    }

    // Looks do not begin there.
    [Test]
    public async Task A_lane_that_is_let_go_is_due_no_earlier_than_then()
    {
        await using var slices = await Slices.StartAsync();
        await using var database = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
        await slices.ExecuteAsync(Waiting, new { Id });
        await slices.ExecuteAsync("UPDATE webhook_deliveries SET next_at = now() - interval '1 hour'");
        var before = await slices.ScalarAsync<Instant>("SELECT now()");

        await WriteAsync(database, results => results.Release(new ClaimedLane(Id, Id, 7), () => { }));

        Assert.That(await slices.ScalarAsync<Instant>("SELECT due_at FROM webhook_lanes"), Is.GreaterThan(before));
    }

    private static Task WriteAsync(DirectDataSource database, params TriedDelivery[] tried) =>
        WriteAsync(database, results => Array.ForEach(tried, results.Add));

    private static async Task WriteAsync(DirectDataSource database, Action<DeliveryResults> add)
    {
        using var outbox = new OutboxSignal();
        using var deliveries = new DeliverySignal();
        var results = new DeliveryResults(database, new WebhookSettings(), outbox, deliveries, NullLogger<DeliveryResults>.Instance);
        add(results);
        results.Complete();
        await results.WriteAsync(CancellationToken.None);
    }
}
