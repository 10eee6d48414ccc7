using Dapper;
using Messaging.Application.Outbound;
using Messaging.Application.Tests.Push;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Tests.Webhooks;

public sealed class WebhookTests : SliceFixture
{
    private static readonly NewWebhook Webhook = new() { Url = "https://93.184.216.34/hook" };

    // It stands, and so is behind the database's.
    protected override void Add(IServiceCollection services) => services
        .AddSingleton<IOutboundAddresses>(new OutboundAddresses(new SystemNames(), new WebhookSettings()))
        .AddSingleton<IClock>(new MovingTime());

    [Test]
    public async Task A_webhook_on_a_node_whose_time_is_behind_is_told_of_nothing_that_was_before_it()
    {
        var before = await Slices.ScalarAsync<Instant>("SELECT clock_timestamp()");

        var webhook = await Slices.SendAsync(new CreateWebhook(Webhook));

        Assert.That(webhook.CreatedAt, Is.GreaterThan(before));
    }

    [Test]
    public async Task Of_two_that_are_created_at_once_in_the_last_place_one_is_refused()
    {
        await Slices.ExecuteAsync(
            """
            INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
            SELECT gen_random_uuid(), 'https://93.184.216.34/', '{}', '{}', true, '', now(), now(), 1
            FROM generate_series(1, 999 - (SELECT count(*) FROM webhooks))
            """);

        var outcomes = await Task.WhenAll(OutcomeAsync(), OutcomeAsync());

        Assert.That(outcomes, Is.EquivalentTo(new[] { "made", ProblemCodes.LimitReached }));
        await Slices.ExecuteAsync("DELETE FROM webhooks");
    }

    [Test]
    public async Task Of_two_patches_at_once_neither_is_lost()
    {
        var id = (await Slices.SendAsync(new CreateWebhook(Webhook))).Id;

        await AtOnceAsync(
            id,
            () => Slices.SendAsync(new UpdateWebhook(id, null, new WebhookPatch { Description = new("Orders") })),
            () => Slices.SendAsync(new UpdateWebhook(id, null, new WebhookPatch { ContextType = new("order") })));

        var webhook = await Slices.SendAsync(new GetWebhook(id));
        Assert.That((webhook.Description, webhook.ContextType, webhook.Version), Is.EqualTo(("Orders", "order", 3)));
    }

    [Test]
    public async Task A_secret_that_two_bring_at_once_leaves_the_one_before_in_force()
    {
        var (created, secret) = (await Slices.SendAsync(new CreateWebhook(Webhook)), WebhookSecret.New().Reveal());

        await AtOnceAsync(
            created.Id,
            () => Slices.SendAsync(new RotateWebhookSecret(created.Id, secret, 60)),
            () => Slices.SendAsync(new RotateWebhookSecret(created.Id, secret, 60)));

        Assert.That(
            await Slices.ScalarAsync<string>("SELECT previous_secret FROM webhooks WHERE id = @Id", new { created.Id }),
            Is.EqualTo(created.Secret));
    }

    [Test]
    public async Task A_range_of_more_than_a_thousand_says_where_to_go_on()
    {
        var id = (await Slices.SendAsync(new CreateWebhook(Webhook))).Id;
        await ParkAsync(id, 1_002);

        var first = await Slices.SendAsync(new RedeliverRange(id, From: null, To: null, WebhookDeliveryState.Parked));

        Assert.That(first.Count, Is.EqualTo(1_000));
        Assert.That(
            await Slices.ScalarAsync<bool>(
                "SELECT min(created_at) = @NextFrom FROM webhook_deliveries WHERE webhook_id = @Id AND state = 'parked'",
                new { Id = id, first.NextFrom }),
            Is.True);
        var rest = await Slices.SendAsync(new RedeliverRange(id, first.NextFrom, To: null, WebhookDeliveryState.Parked));
        Assert.That(rest, Is.EqualTo(new Redelivered(2, NextFrom: null)));
    }

    [Test]
    public async Task A_delivery_that_is_sent_again_begins_its_schedule_anew_and_ends_the_pause_of_its_webhook()
    {
        var id = (await Slices.SendAsync(new CreateWebhook(Webhook))).Id;
        await ParkAsync(id, 1);
        await Slices.ExecuteAsync(
            "INSERT INTO webhook_places (webhook_id, failures, quiet_until) VALUES (@Id, 9, now() + interval '1 hour')", new { Id = id });

        await Slices.SendAsync(new RedeliverOne(
            await Slices.ScalarAsync<Guid>("SELECT id FROM webhook_deliveries WHERE webhook_id = @Id", new { Id = id })));

        Assert.That(
            await Slices.ScalarAsync<string>(
                """
                SELECT d.tries || ' tries, ' || d.state || ', called from ' || p.quiet_until || ', due: ' || (l.due_at <= now())
                FROM webhook_deliveries d
                JOIN webhook_places p USING (webhook_id)
                JOIN webhook_lanes l USING (webhook_id, lane)
                WHERE d.webhook_id = @Id
                """,
                new { Id = id }),
            Is.EqualTo("0 tries, pending, called from -infinity, due: true"));
    }

    private Task ParkAsync(Guid webhook, int count) => Slices.ExecuteAsync(
        """
        INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, state, tries, created_at, ended_at)
        SELECT gen_random_uuid(), @Webhook, @Webhook, n, n, 'message:new', '', 'parked', 10, now() + make_interval(secs => n), now()
        FROM generate_series(1, @Count) AS n
        """,
        new { Webhook = webhook, Count = count });

    // While somebody else holds the row, each gets as far as it can without it.
    private async Task AtOnceAsync(Guid id, params Func<Task>[] changes)
    {
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("SELECT id FROM webhooks WHERE id = @Id FOR NO KEY UPDATE", new { Id = id }, transaction);
        var all = Task.WhenAll(changes.Select(change => change()));
        await Slices.UntilAsync(
            $"SELECT count(*) = {changes.Length} FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        await transaction.CommitAsync();
        await all;
    }

    private async Task<string> OutcomeAsync()
    {
        try
        {
            await Slices.SendAsync(new CreateWebhook(Webhook));
            return "made";
        }
        catch (RuleException e)
        {
            return e.Problem.Code;
        }
    }
}
