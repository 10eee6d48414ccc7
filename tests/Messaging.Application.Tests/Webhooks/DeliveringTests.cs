using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Messaging.Application.Events;
using Messaging.Application.Tests.Events;
using Messaging.Application.Webhooks;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Webhooks;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Webhooks;

/// <summary>Which calls a node makes of what waits, without a server at the other end.</summary>
public sealed class DeliveringTests
{
    private Slices slices = null!;
    private DirectDataSource database = null!;
    private ServiceProvider? provider;

    [SetUp]
    public async Task StartAsync()
    {
        slices = await Slices.StartAsync();
        database = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
    }

    [TearDown]
    public async Task StopAsync()
    {
        if (provider is not null)
            await provider.DisposeAsync();
        await database.DisposeAsync();
        await slices.DisposeAsync();
    }

    [Test]
    public async Task Calls_are_signed_with_the_former_secret_as_well_as_long_as_it_is_in_force()
    {
        var (inForce, over) = (await AddAsync(), await AddAsync());
        await slices.ExecuteAsync(
            """
            UPDATE webhooks
            SET secret = 'new', previous_secret = 'former',
                previous_secret_until = now() + CASE WHEN id = @InForce THEN interval '1 hour' ELSE interval '-1 s' END
            """,
            new { InForce = inForce });
        var sender = new Sender(_ => Task.FromResult(Answered(200)));

        await using (await NodeAsync(sender))
            await slices.UntilAsync("SELECT count(*) = 2 FROM webhook_deliveries WHERE state = 'delivered'");

        Assert.That(SecretsOf(inForce), Is.EqualTo((string[])["new", "former"]));
        Assert.That(SecretsOf(over), Is.EqualTo((string[])["new"]));

        IReadOnlyList<string> SecretsOf(Guid webhook) => sender.Calls.Single(call => call.Id == $"{webhook}").Secrets;
    }

    [Test]
    public async Task A_webhook_that_fails_is_called_once_at_a_time_and_one_that_is_left_alone_not_at_all()
    {
        var end = new TaskCompletionSource<WebhookOutcome>();
        var (works, fails) = (await AddAsync(lanes: 4), await AddAsync(lanes: 4, failures: 3));
        await AddAsync(lanes: 4, failures: 3, quiet: 3600);

        await using (await NodeAsync(new Sender(_ => end.Task)))
        {
            await slices.UntilAsync($"SELECT count(*) = 4 FROM webhook_lanes WHERE webhook_id = '{works}' AND claimed_until > now()");
            await slices.UntilAsync($"SELECT count(*) > 0 FROM webhook_lanes WHERE webhook_id = '{fails}' AND claimed_until > now()");
            Assert.That(await slices.ScalarAsync<long>("SELECT count(*) FROM webhook_lanes WHERE claimed_until > now()"), Is.EqualTo(5));
            end.SetResult(Answered(200));
        }
    }

    [Test]
    public async Task Where_there_is_room_for_one_lane_at_a_time_it_is_not_always_of_the_same_webhook()
    {
        Guid[] webhooks = [await AddAsync(lanes: 30), await AddAsync(lanes: 30)];
        await using var connection = await database.Value.OpenConnectionAsync();
        var claims = new LaneClaims(connection, new LaneLooks(TimeProvider.System));

        var taken = new List<ClaimedLane>();
        for (var i = 0; i < 30; i++)
            taken.AddRange(await claims.TakeAsync(new Dictionary<Guid, int>(), perWebhook: 30, room: 1, CancellationToken.None));

        Assert.That(taken.Select(lane => lane.WebhookId).Distinct(), Is.EquivalentTo(webhooks));
    }

    // In tens of minutes.
    [TestCase(429, 30, "3 for all, 3 for one")]
    [TestCase(503, 120, "6 for all, 12 for one")]
    [TestCase(500, 30, "0 for all, 3 for one")]
    public async Task Retry_After_holds_for_the_delivery_and_if_the_webhook_is_busy_for_all_for_an_hour_at_most(
        int status, int minutes, string waits)
    {
        await AddAsync();

        await using (await NodeAsync(new Sender(_ => Task.FromResult(Answered(status, Duration.FromMinutes(minutes))))))
            await slices.UntilAsync("SELECT tries = 1 FROM webhook_deliveries");

        Assert.That(
            await slices.ScalarAsync<string>(
                """
                SELECT ceil(extract(epoch FROM greatest(p.quiet_until, now()) - now()) / 600) || ' for all, '
                    || ceil(extract(epoch FROM d.next_at - now()) / 600) || ' for one'
                FROM webhook_places p
                JOIN webhook_deliveries d USING (webhook_id)
                """),
            Is.EqualTo(waits));
    }

    [Test]
    public async Task A_lane_of_a_node_that_says_nothing_more_is_taken_once_its_claim_has_run_out()
    {
        var (lost, other) = (await AddAsync(), await AddAsync());
        await slices.ExecuteAsync(
            """
            UPDATE webhook_lanes
            SET claim = 7, claimed_until = now() + interval '1 hour', due_at = now() + interval '1 hour'
            WHERE webhook_id = @Lost
            """,
            new { Lost = lost });
        var sender = new Sender(call =>
            call.Id == $"{other}" ? Task.FromResult(Answered(200)) : new TaskCompletionSource<WebhookOutcome>().Task);
        await using var node = await NodeAsync(sender);
        await slices.UntilAsync($"SELECT state = 'delivered' FROM webhook_deliveries WHERE webhook_id = '{other}'");
        Assert.That(sender.Calls.Select(call => call.Id), Is.EqualTo((string[])[$"{other}"]));

        await slices.ExecuteAsync("UPDATE webhook_lanes SET claimed_until = now(), due_at = now()");

        await Eventually.HoldsAsync(() => sender.Calls.Any(call => call.Id == $"{lost}"), "it is called");
        Assert.That(
            await slices.ScalarAsync<bool>(
                "SELECT claim <> 7 AND due_at = claimed_until AND due_at <= now() + interval '10 s' FROM webhook_lanes"),
            Is.True);
    }

    [Test]
    public async Task Deliveries_that_fail_at_once_are_tried_again_at_various_moments_about_their_schedule()
    {
        await AddAsync(lanes: 20);

        await using (await NodeAsync(new Sender(_ => Task.FromResult(Answered(500))), TimeSpan.FromHours(10)))
            await slices.UntilAsync("SELECT count(*) = 20 FROM webhook_deliveries WHERE tries = 1");

        Assert.That(
            await slices.ScalarAsync<bool>(
                """
                SELECT min(next_at) > now() + interval '8 hours' AND max(next_at) < now() + interval '11 hours'
                    AND max(next_at) - min(next_at) > interval '10 minutes'
                FROM webhook_deliveries
                """),
            Is.True);
    }

    [Test]
    public async Task Operators_see_for_how_long_the_oldest_delivery_has_waited()
    {
        var age = 0d;
        using var metrics = new MeterListener();
        metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "messaging.webhooks.backlog.age")
                listener.EnableMeasurementEvents(instrument);
        };
        metrics.SetMeasurementEventCallback<double>((_, seconds, _, _) => age = seconds);
        metrics.Start();
        await AddAsync(quiet: 3600);
        await slices.ExecuteAsync("UPDATE webhook_deliveries SET created_at = now() - interval '2 hours'");

        await using var node = await NodeAsync(new Sender(_ => Task.FromResult(Answered(200))));

        await Eventually.HoldsAsync(
            () =>
            {
                metrics.RecordObservableInstruments();
                return age >= 7200;
            },
            "it has waited for two hours");
    }

    private static WebhookOutcome Answered(int status, Duration? retryAfter = null) => new(status, null, Duration.Zero, retryAfter);

    // With one delivery in each lane, whose event has the webhook's id.
    private async Task<Guid> AddAsync(int lanes = 1, int failures = 0, double quiet = 0)
    {
        var id = Guid.CreateVersion7();
        await slices.ExecuteAsync(
            """
            INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
            VALUES (@Id, 'http://127.0.0.1/', '{}', '{}', true, '', now(), now(), 1);
            INSERT INTO webhook_places (webhook_id, failures, quiet_until)
            VALUES (@Id, @Failures, now() + make_interval(secs => @Quiet));
            INSERT INTO webhook_lanes (webhook_id, lane, due_at)
            SELECT @Id, md5(n::text)::uuid, now()
            FROM generate_series(1, @Lanes) AS n;
            INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, next_at, created_at)
            SELECT gen_random_uuid(), @Id, md5(n::text)::uuid, n, @Id::text, 'message:new', '', now(), now()
            FROM generate_series(1, @Lanes) AS n
            """,
            new { Id = id, Lanes = lanes, Failures = failures, Quiet = quiet });
        return id;
    }

    // What the module registers, with another sender.
    private Task<Running> NodeAsync(Sender sender, params TimeSpan[] schedule)
    {
        var (module, services, workers) = (new Infrastructure.Webhooks.WebhooksModule(), new ServiceCollection(), new ServiceCollection());
        module.AddServices(services);
        module.AddWorkers(workers);
        services.AddLogging().AddSingleton<IClock>(SystemClock.Instance).AddSingleton(new WebhookSettings { Schedule = schedule })
            .AddSingleton<IWebhookSender>(sender).AddSingleton<OutboxSignal>().AddSingleton<DeliverySignal>().AddSingleton(database);
        var deliveries = workers.Single(one => one.ImplementationType!.Name == "WebhookDeliveries").ImplementationType!;
        provider = services.BuildServiceProvider();
        return Running.StartAsync((BackgroundService)ActivatorUtilities.CreateInstance(provider, deliveries));
    }

    private sealed class Sender(Func<WebhookCall, Task<WebhookOutcome>> answer) : IWebhookSender
    {
        public ConcurrentQueue<WebhookCall> Calls { get; } = [];

        public Task<WebhookOutcome> SendAsync(WebhookCall call, CancellationToken ct)
        {
            Calls.Enqueue(call);
            return answer(call).WaitAsync(ct);
        }
    }
}
