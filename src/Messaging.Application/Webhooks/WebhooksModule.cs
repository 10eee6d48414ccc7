using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Addresses of other services that are told of events.</summary>
public sealed class WebhooksModule : Module
{
    // How long what a webhook was told stays in its log.
    private static readonly Duration LogRetention = Duration.FromDays(7);

    // Index: ix_webhook_deliveries_ended.
    private const string OldSql =
        """
        DELETE FROM webhook_deliveries
        WHERE id IN (
            SELECT id
            FROM webhook_deliveries
            WHERE ended_at < @Before
            ORDER BY ended_at
            LIMIT @Limit)
        """;

    // What waits for webhooks that are disabled, once the feed would not have it any more either. Few webhooks. What is being sent is left.
    // Index: ix_webhook_deliveries_log.
    private const string DisabledSql =
        """
        DELETE FROM webhook_deliveries
        WHERE id IN (
            SELECT d.id
            FROM webhooks w
            CROSS JOIN LATERAL (
                SELECT id
                FROM webhook_deliveries
                WHERE webhook_id = w.id AND state = 'pending' AND created_at < @Before
                ORDER BY created_at
                LIMIT @Limit
                FOR UPDATE SKIP LOCKED
            ) d
            WHERE NOT w.enabled
            LIMIT @Limit)
        """;

    // What webhooks that were deleted have left. There are few webhooks. Index: ix_webhook_deliveries_log.
    private const string OrphansSql =
        """
        DELETE FROM webhook_deliveries
        WHERE id IN (
            SELECT d.id
            FROM webhook_places p
            CROSS JOIN LATERAL (
                SELECT id
                FROM webhook_deliveries
                WHERE webhook_id = p.webhook_id
                LIMIT @Limit
            ) d
            WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.id = p.webhook_id)
            LIMIT @Limit)
        """;

    // The same of lanes. Index: pk_webhook_lanes.
    private const string OrphanedLanesSql =
        """
        DELETE FROM webhook_lanes
        WHERE (webhook_id, lane) IN (
            SELECT l.webhook_id, l.lane
            FROM webhook_places p
            CROSS JOIN LATERAL (
                SELECT webhook_id, lane
                FROM webhook_lanes
                WHERE webhook_id = p.webhook_id
                LIMIT @Limit
            ) l
            WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.id = p.webhook_id)
            LIMIT @Limit)
        """;

    // Last: by it the others are found. Few rows.
    private const string OrphanedPlacesSql =
        """
        DELETE FROM webhook_places p
        WHERE webhook_id IN (
            SELECT p.webhook_id
            FROM webhook_places p
            WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.id = p.webhook_id)
                AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = p.webhook_id)
                AND NOT EXISTS (SELECT FROM webhook_lanes l WHERE l.webhook_id = p.webhook_id)
            LIMIT @Limit)
        """;

    public override IReadOnlyList<string> Tables { get; } = ["webhooks", "webhook_places", "webhook_lanes", "webhook_deliveries"];

    public override IReadOnlyList<OldRows> OldRows { get; } =
    [
        new(OldSql, LogRetention),
        new(DisabledSql, settings => Duration.FromDays(settings.FeedDays)),
        new(OrphansSql, Duration.Zero),
        new(OrphanedLanesSql, Duration.Zero),
        new(OrphanedPlacesSql, Duration.Zero),
    ];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<DeliverySignal>();
}
