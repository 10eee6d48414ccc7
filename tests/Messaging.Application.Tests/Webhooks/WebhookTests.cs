using Dapper;
using Messaging.Application.Outbound;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Webhooks;

public sealed class WebhookTests : SliceFixture
{
    private static readonly NewWebhook Webhook = new() { Url = "https://93.184.216.34/hook" };

    protected override void Add(IServiceCollection services) =>
        services.AddSingleton<IOutboundAddresses>(new OutboundAddresses(new SystemNames(), new WebhookSettings()));

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
