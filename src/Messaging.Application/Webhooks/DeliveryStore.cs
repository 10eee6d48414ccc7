using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Webhooks;

/// <summary>A delivery as it is asked for: which one, and in which lane it waits its turn.</summary>
public sealed record AskedDelivery(Guid Id, Guid WebhookId, Guid Lane);

/// <summary>Has deliveries sent again, within an open transaction.</summary>
public sealed class DeliveryStore(DbSession session, DeliverySignal signal)
{
    // pk_webhooks.
    private const string KnownSql =
        """
        SELECT id
        FROM webhooks
        WHERE id = @Id
        """;

    // Locks the lanes, in the order in which all do: nobody lets one go, as empty, that this is for. One that a node has taken is looked at
    // again when that node is done with it. None becomes due in the past, where looks do not begin.
    private const string LanesSql =
        """
        INSERT INTO webhook_lanes AS l (webhook_id, lane, due_at)
        SELECT DISTINCT k.webhook_id, k.lane, now()
        FROM unnest(@Webhooks::uuid[], @Lanes::uuid[]) AS k (webhook_id, lane)
        ORDER BY k.webhook_id, k.lane
        ON CONFLICT (webhook_id, lane) DO UPDATE
        SET due_at = CASE WHEN l.claimed_until > now() THEN l.due_at ELSE least(l.due_at, now()) END
        """;

    // Under the lanes' locks. The tries begin anew; those of before stay in the log. Index: pk_webhook_deliveries.
    private const string AgainSql =
        $"""
        UPDATE webhook_deliveries d
        SET state = 'pending', tries = 0, next_at = now(), ended_at = NULL
        WHERE d.id = ANY(@Ids)
        RETURNING {StoredDelivery.Columns}
        """;

    // After the lanes. Who asks believes that it works again: it is called at once. Index: pk_webhook_places.
    private const string CallSql =
        """
        INSERT INTO webhook_places (webhook_id)
        VALUES (@Id)
        ON CONFLICT (webhook_id) DO UPDATE SET quiet_until = '-infinity'
        """;

    public async Task EnsureKnownAsync(Guid webhook, CancellationToken ct)
    {
        if (await session.QuerySingleOrDefaultAsync<Guid?>(KnownSql, new { Id = webhook }, ct) is null)
            throw CommonErrors.NotFound();
    }

    /// <summary>Has deliveries of one webhook sent again, with the ids and bytes that they have.</summary>
    public async Task<List<StoredDelivery>> SendAgainAsync(IReadOnlyList<AskedDelivery> asked, CancellationToken ct)
    {
        if (asked.Count == 0)
            return [];
        await QueueAsync(asked, ct);
        var again = await session.QueryAsync<StoredDelivery>(AgainSql, new { Ids = asked.Select(one => one.Id).ToArray() }, ct);
        await CallAsync(asked[0].WebhookId, ct);
        return again;
    }

    /// <summary>Has lanes looked at that something is for; before it is written.</summary>
    public Task QueueAsync(IReadOnlyList<AskedDelivery> asked, CancellationToken ct) => session.ExecuteAsync(
        LanesSql,
        new { Webhooks = asked.Select(one => one.WebhookId).ToArray(), Lanes = asked.Select(one => one.Lane).ToArray() },
        ct);

    /// <summary>Has a webhook called, even one that is left alone for a while.</summary>
    public async Task CallAsync(Guid webhook, CancellationToken ct)
    {
        await session.ExecuteAsync(CallSql, new { Id = webhook }, ct);
        session.AfterCommit(signal.Raise);
    }
}
