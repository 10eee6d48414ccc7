using System.Threading.Channels;
using Dapper;
using Messaging.Application.Events;
using Messaging.Application.Webhooks;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>
/// Writes what came of deliveries, many at once, as long as the node holds their lanes: what a node says that was paused meanwhile counts
/// for nothing.
/// </summary>
public sealed class DeliveryResults(
    DirectDataSource database, WebhookSettings settings, OutboxSignal outbox, DeliverySignal deliveries, ILogger<DeliveryResults> logger)
{
    private const int BatchSize = 1_000;

    /// <summary>How many attempts are kept of a delivery.</summary>
    private const int Kept = 20;

    // Locks the lanes, in the order in which all do, until what came of them is written.
    private const string LockSql =
        """
        SELECT l.webhook_id, l.lane, l.claim
        FROM unnest(@Webhooks::uuid[], @Lanes::uuid[]) AS k (webhook_id, lane)
        JOIN webhook_lanes l ON l.webhook_id = k.webhook_id AND l.lane = k.lane
        ORDER BY l.webhook_id, l.lane
        FOR UPDATE OF l
        """;

    // Under the lanes' locks. What stands in the log was written before: the answer to the commit was lost. Index: pk_webhook_deliveries.
    private const string MarkSql =
        """
        UPDATE webhook_deliveries d
        SET state = r.state,
            tries = d.tries + 1,
            next_at = CASE WHEN r.state = 'pending' THEN now() + make_interval(secs => r.wait) END,
            ended_at = CASE WHEN r.state <> 'pending' THEN now() END,
            attempts = CASE WHEN jsonb_array_length(d.attempts) >= @Kept THEN d.attempts - 0 ELSE d.attempts END || r.attempt::jsonb
        FROM unnest(@Ids::uuid[], @States::text[], @Waits::float8[], @Attempts::text[]) AS r (id, state, wait, attempt)
        WHERE d.id = r.id AND d.state = 'pending' AND d.attempts -> -1 IS DISTINCT FROM r.attempt::jsonb
        RETURNING d.id, d.webhook_id, d.type, d.state
        """;

    // In a later statement than the lock: what was made for the lane before is seen, and what is made from now on waits for it. No lane
    // becomes due in the past, where looks do not begin.
    // Index: pk_webhook_lanes, ix_webhook_deliveries_lane.
    private const string ReleaseSql =
        """
        WITH done AS MATERIALIZED (
            SELECT r.webhook_id, r.lane, (
                SELECT greatest(d.next_at, now())
                FROM webhook_deliveries d
                WHERE d.webhook_id = r.webhook_id AND d.lane = r.lane AND d.state = 'pending'
                ORDER BY d.position, d.id
                LIMIT 1) AS due_at
            FROM unnest(@Webhooks::uuid[], @Lanes::uuid[]) AS r (webhook_id, lane)
        ),
        empty AS (
            DELETE FROM webhook_lanes l
            USING done
            WHERE l.webhook_id = done.webhook_id AND l.lane = done.lane AND done.due_at IS NULL
        )
        UPDATE webhook_lanes l
        SET claimed_until = NULL, due_at = done.due_at
        FROM done
        WHERE l.webhook_id = done.webhook_id AND l.lane = done.lane AND done.due_at IS NOT NULL
        """;

    // Long: who fails, how often, and what follows.
    // Locks the places of those that fail or have failed, in the order in which all do. A webhook at which nothing gets through is left
    // alone, longer and longer. That one delivery fails again and again says nothing of the others.
    private const string HealthSql =
        """
        UPDATE webhook_places p
        SET failures = h.failures,
            failing_since = CASE WHEN NOT h.works THEN coalesce(p.failing_since, now()) END,
            quiet_until = CASE WHEN NOT h.works THEN now() + make_interval(secs => greatest(h.asked, CASE
                WHEN h.failures < @FailingFrom THEN 0
                ELSE least(@LongestBackoff, (@Waits::float8[])[least(h.failures + 1 - @FailingFrom, cardinality(@Waits::float8[]))])
            END)) ELSE '-infinity' END
        FROM (
            SELECT p.webhook_id, h.works, h.asked, CASE
                WHEN h.works THEN 0
                WHEN h.is_fresh OR p.failures >= @FailingFrom THEN p.failures + 1
                ELSE p.failures END AS failures
            FROM unnest(@Ids::uuid[], @Works::boolean[], @Fresh::boolean[], @Asked::float8[]) AS h (id, works, is_fresh, asked)
            JOIN webhook_places p ON p.webhook_id = h.id
            WHERE NOT h.works OR p.failing_since IS NOT NULL
            ORDER BY p.webhook_id
            FOR NO KEY UPDATE OF p
        ) h
        WHERE p.webhook_id = h.webhook_id
        """;

    // Locks the webhooks that are over, after their places. One that is enabled again begins anew.
    private const string DisableSql =
        $"""
        WITH disabled AS (
            UPDATE webhooks w
            SET enabled = false,
                disabled_reason = CASE WHEN w.id = ANY(@Gone) THEN '{WebhookDisabled.Gone}' ELSE '{WebhookDisabled.Failing}' END,
                version = w.version + 1,
                updated_at = now()
            FROM webhook_places p
            WHERE w.id = ANY(@Failed) AND w.enabled AND p.webhook_id = w.id
                AND (w.id = ANY(@Gone) OR p.failing_since <= now() - interval '5 days')
            RETURNING w.id, w.disabled_reason AS reason
        ),
        calmed AS (
            UPDATE webhook_places p
            SET failures = 0, failing_since = NULL, quiet_until = '-infinity'
            FROM disabled
            WHERE p.webhook_id = disabled.id
        )
        SELECT id AS webhook_id, reason
        FROM disabled
        """;

    /// <summary>How long a webhook that fails is left alone at most, unless it asks for more: then it is probed again.</summary>
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);

    private readonly Channel<Result> results = Channel.CreateUnbounded<Result>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<Result> taken = [];

    /// <summary>What came of a try.</summary>
    public void Add(TriedDelivery tried) => results.Writer.TryWrite(new Result(tried.Lane, tried, Released: null));

    /// <summary>Lets a lane go, after what came of it.</summary>
    /// <param name="released">Called once nobody holds it any more.</param>
    public void Release(ClaimedLane lane, Action released) => results.Writer.TryWrite(new Result(lane, Tried: null, released));

    /// <summary>Nothing follows.</summary>
    public void Complete() => results.Writer.TryComplete();

    /// <summary>Writes until there is nothing more. What could not be written is written at the next call.</summary>
    public async Task WriteAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(LaneClaims.SessionSql, cancellationToken: ct));
        while (taken.Count > 0 || await results.Reader.WaitToReadAsync(ct))
        {
            while (taken.Count < BatchSize && results.Reader.TryRead(out var next))
                taken.Add(next);
            await WriteAsync(connection, taken, ct);
            taken.ForEach(result => result.Released?.Invoke());
            taken.Clear();
            deliveries.Raise();
        }
    }

    private async Task WriteAsync(NpgsqlConnection connection, List<Result> all, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var held = (await connection.QueryAsync<ClaimedLane>(LockSql, Lanes(all.Select(result => result.Lane))))
            .Select(lane => (lane.WebhookId, lane.Lane, lane.Claim)).ToHashSet();
        var valid = all.FindAll(result => held.Contains((result.Lane.WebhookId, result.Lane.Lane, result.Lane.Claim)));
        var tried = valid.Select(result => result.Tried).OfType<TriedDelivery>().ToList();
        var marked = tried.Count > 0 ? (await connection.QueryAsync<MarkedRow>(MarkSql, Marks(tried))).AsList() : [];
        var parked = await TellAsync(connection, marked);
        await connection.ExecuteAsync(ReleaseSql, Lanes(valid.Where(result => result.Tried is null).Select(result => result.Lane)));
        var written = tried.IntersectBy(marked.Select(row => row.Id), one => one.Id).ToList();
        var disabled = written.Count > 0 ? await JudgeAsync(connection, written) : [];
        await transaction.CommitAsync(ct);
        if (valid.Count < all.Count)
            logger.LogWarning("{Count} results count for nothing: other nodes have taken what they are of", all.Count - valid.Count);
        Tell(parked);
        Tell(disabled);
    }

    // Told together for those of one moment: a receiver that is away for long parks much. A parked event of parked deliveries is not told:
    // that would go on without an end.
    private static async Task<List<ParkedDeliveries>> TellAsync(NpgsqlConnection connection, List<MarkedRow> marked)
    {
        var parked = marked.Where(row => row.State == "parked" && row.Type != WebhookParked.Name)
            .CountBy(row => row.WebhookId).Select(its => new ParkedDeliveries(its.Key, its.Value)).ToList();
        await Outbox.TellAsync(connection, new WebhookParked(), parked);
        return parked;
    }

    // A webhook works as long as anything gets through to it.
    private async Task<List<DisabledWebhook>> JudgeAsync(NpgsqlConnection connection, List<TriedDelivery> tried)
    {
        var webhooks = tried.GroupBy(one => one.Lane.WebhookId).Select(its => (
            Id: its.Key, Works: its.Any(one => one.State is WebhookDeliveryState.Delivered), IsFresh: its.Any(one => one.IsFresh),
            Asked: its.Max(one => one.Asked), IsGone: its.Any(one => one.IsGone))).ToList();
        await connection.ExecuteAsync(HealthSql, new
        {
            Ids = webhooks.ConvertAll(webhook => webhook.Id),
            Works = webhooks.ConvertAll(webhook => webhook.Works),
            Fresh = webhooks.ConvertAll(webhook => webhook.IsFresh),
            Asked = webhooks.ConvertAll(webhook => webhook.Asked),
            Waits = settings.Waits.Select(wait => wait.TotalSeconds).ToArray(),
            LongestBackoff = LongestBackoff.TotalSeconds,
            Backlog.FailingFrom,
        });
        var gone = webhooks.Where(webhook => webhook.IsGone).Select(webhook => webhook.Id).ToArray();
        var failed = webhooks.Where(webhook => !webhook.Works || webhook.IsGone).Select(webhook => webhook.Id).ToArray();
        return failed.Length == 0 ? [] : await DisableAsync(connection, gone, failed);
    }

    private static async Task<List<DisabledWebhook>> DisableAsync(NpgsqlConnection connection, Guid[] gone, Guid[] failed)
    {
        var disabled = (await connection.QueryAsync<DisabledWebhook>(DisableSql, new { Gone = gone, Failed = failed })).AsList();
        await Outbox.TellAsync(connection, new WebhookDisabled(), disabled);
        return disabled;
    }

    private void Tell(List<ParkedDeliveries> parked)
    {
        foreach (var (id, count) in parked)
            logger.LogWarning("The webhook {Id} has {Count} more parked deliveries", id, count);
        if (parked.Count > 0)
            outbox.Raise();
    }

    private void Tell(List<DisabledWebhook> disabled)
    {
        foreach (var (id, reason) in disabled)
        {
            WebhookMetrics.Disabled.Add(1, new KeyValuePair<string, object?>("reason", reason));
            logger.LogWarning("The webhook {Id} is disabled: {Reason}", id, reason);
        }
        if (disabled.Count > 0)
            outbox.Raise();
    }

    private static object Lanes(IEnumerable<ClaimedLane> lanes)
    {
        var each = lanes.Select(lane => (lane.WebhookId, lane.Lane)).Distinct().ToArray();
        return new { Webhooks = Array.ConvertAll(each, lane => lane.WebhookId), Lanes = Array.ConvertAll(each, lane => lane.Lane) };
    }

    private static object Marks(List<TriedDelivery> tried) => new
    {
        Ids = tried.ConvertAll(one => one.Id),
        States = tried.ConvertAll(one => one.State.ToString().ToLowerInvariant()),
        Waits = tried.ConvertAll(one => one.Wait),
        Attempts = tried.ConvertAll(one => one.AttemptJson),
        Kept,
    };

    private sealed record Result(ClaimedLane Lane, TriedDelivery? Tried, Action? Released);

    private sealed record MarkedRow(Guid Id, Guid WebhookId, string Type, string State);
}
