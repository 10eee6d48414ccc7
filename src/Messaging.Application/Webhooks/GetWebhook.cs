using MediatR;
using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>A webhook, without its secret, and how it does.</summary>
public sealed record GetWebhook(Guid Id) : IQuery<WebhookStatus>;

public sealed class GetWebhookHandler(DbSession session, WebhookStore webhooks) : IRequestHandler<GetWebhook, WebhookStatus>
{
    // Index: ix_webhook_deliveries_log, of which no more is read than is counted.
    private const string CountSql =
        """
        SELECT
            (SELECT count(*)
            FROM (
                SELECT
                FROM webhook_deliveries
                WHERE webhook_id = @Id AND state = 'pending'
                ORDER BY created_at
                LIMIT @Most) d)::integer AS pending,
            (SELECT count(*)
            FROM (
                SELECT
                FROM webhook_deliveries
                WHERE webhook_id = @Id AND state = 'parked'
                ORDER BY created_at
                LIMIT @Most) d)::integer AS parked
        """;

    public async Task<WebhookStatus> Handle(GetWebhook query, CancellationToken ct)
    {
        var webhook = await webhooks.GetAsync(query.Id, ct);
        var (pending, parked) = await session.QuerySingleAsync<Counts>(CountSql, new { query.Id, Most = WebhookStatus.MostCounted }, ct);
        return new WebhookStatus(webhook.ToView(), pending, parked);
    }

    private sealed record Counts(int Pending, int Parked);
}
