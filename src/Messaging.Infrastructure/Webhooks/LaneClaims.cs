using System.Diagnostics;
using Dapper;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Takes lanes for this node, on one connection.</summary>
public sealed class LaneClaims(NpgsqlConnection connection, LaneLooks looks)
{
    /// <summary>How many deliveries of a lane are gone through before it is let go.</summary>
    private const int PerLane = 10;

    // The plans must not depend on how full the tables were when they were made. What a crash of the server takes back is taken anew.
    public const string SessionSql =
        """
        SET jit = off;
        SET enable_seqscan = off;
        SET plan_cache_mode = force_generic_plan;
        SET synchronous_commit = off
        """;

    // In another order each time: none is always the last one for which there is room. Few rows: the webhooks.
    private const string AllSql =
        """
        SELECT w.id, p.failures >= @FailingFrom AS fails, w.enabled AND p.quiet_until <= now() AS is_callable, now() AS at
        FROM webhooks w
        JOIN webhook_places p ON p.webhook_id = w.id
        ORDER BY random()
        """;

    // Locks the lanes that it takes, and waits for none. Each webhook's own due ones are found by its part of ix_webhook_lanes_due, so one
    // with a million is looked at no longer than one with ten. Taken by their places alone: joined, they might be looked for by webhook.
    // One that is changed between the look and its lock has another place, and is found without being taken.
    // Long: finding, taking and saying how far, at one moment.
    private const string TakeSql =
        """
        WITH due AS MATERIALIZED (
            SELECT k.webhook_id, l.place, l.due_at
            FROM unnest(@Webhooks::uuid[], @Free::integer[], @From::timestamptz[]) AS k (webhook_id, free, due_from)
            CROSS JOIN LATERAL (
                SELECT ctid AS place, due_at
                FROM webhook_lanes
                WHERE webhook_id = k.webhook_id AND due_at >= k.due_from AND due_at <= now()
                ORDER BY due_at
                LIMIT k.free
                FOR UPDATE SKIP LOCKED
            ) l
            LIMIT @Room
        ),
        ended AS (
            SELECT webhook_id, min(due_at) AS first_due_at, max(due_at) AS last_due_at, count(*) AS found
            FROM due
            GROUP BY webhook_id
        ),
        taken AS (
            UPDATE webhook_lanes l
            SET claim = @Claim, claimed_until = now() + @Term, due_at = now() + @Term
            WHERE l.ctid = ANY(ARRAY(SELECT place FROM due))
            RETURNING l.webhook_id, l.lane
        )
        SELECT webhook_id, taken.lane, ended.first_due_at, ended.last_due_at, ended.found
        FROM ended
        LEFT JOIN taken USING (webhook_id)
        """;

    // Index: pk_webhooks.
    private const string WebhooksSql =
        """
        SELECT id, url, secret, CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret
        FROM webhooks
        WHERE id = ANY(@Webhooks) AND enabled
        """;

    // Index: ix_webhook_deliveries_lane.
    private const string WaitingSql =
        """
        SELECT k.no, d.id, d.event_id, d.body, d.tries, d.next_at <= now() AS is_due
        FROM unnest(@Webhooks::uuid[], @Lanes::uuid[]) WITH ORDINALITY AS k (webhook_id, lane, no)
        CROSS JOIN LATERAL (
            SELECT id, position, event_id, body, tries, next_at
            FROM webhook_deliveries
            WHERE webhook_id = k.webhook_id AND lane = k.lane AND state = 'pending'
            ORDER BY position, id
            LIMIT @PerLane
        ) d
        ORDER BY k.no, d.position, d.id
        """;

    // Locks the lanes' rows, in the order in which all do.
    private const string RenewSql =
        """
        UPDATE webhook_lanes l
        SET claimed_until = now() + @Term, due_at = now() + @Term
        FROM (
            SELECT l.webhook_id, l.lane
            FROM unnest(@Webhooks::uuid[], @Lanes::uuid[], @Claims::bigint[]) AS k (webhook_id, lane, claim)
            JOIN webhook_lanes l ON l.webhook_id = k.webhook_id AND l.lane = k.lane AND l.claim = k.claim
            ORDER BY l.webhook_id, l.lane
            FOR UPDATE OF l
        ) held
        WHERE l.webhook_id = held.webhook_id AND l.lane = held.lane
        RETURNING l.webhook_id, l.lane, l.claim
        """;

    // Of each webhook that is called, the one that was made first. Few rows: the webhooks. Index: ix_webhook_deliveries_log.
    private const string OldestSql =
        """
        SELECT coalesce(extract(epoch FROM now() - min(d.created_at)), 0)::float8
        FROM webhooks w
        CROSS JOIN LATERAL (
            SELECT created_at
            FROM webhook_deliveries
            WHERE webhook_id = w.id AND state = 'pending'
            ORDER BY created_at
            LIMIT 1
        ) d
        WHERE w.enabled
        """;

    /// <summary>How long a lane is left to a node that is not heard of.</summary>
    public static readonly TimeSpan Term = TimeSpan.FromSeconds(10);

    /// <summary>Takes lanes that are due, with the first of their deliveries.</summary>
    /// <param name="busy">How many lanes of a webhook this node has already.</param>
    /// <param name="perWebhook">How many it has of a webhook at most; of one that fails, one.</param>
    public async Task<List<ClaimedLane>> TakeAsync(IReadOnlyDictionary<Guid, int> busy, int perWebhook, int room, CancellationToken ct)
    {
        var from = Stopwatch.GetTimestamp();
        var lanes = await LookAsync(busy, perWebhook, room, ct);
        if (lanes.Count == 0)
            return lanes;
        lanes.ForEach(lane => lane.Renewed(from));
        var keys = new { Webhooks = lanes.ConvertAll(lane => lane.WebhookId), Lanes = lanes.ConvertAll(lane => lane.Lane), PerLane };
        var waiting = await connection.QueryAsync<WaitingDelivery>(new CommandDefinition(WaitingSql, keys, cancellationToken: ct));
        foreach (var delivery in waiting)
            lanes[(int)delivery.No - 1].Deliveries.Add(delivery);
        // Afterwards: bodies can take long to read.
        await ReadWebhooksAsync(lanes, ct);
        return lanes;
    }

    private async Task<List<ClaimedLane>> LookAsync(
        IReadOnlyDictionary<Guid, int> busy, int perWebhook, int room, CancellationToken ct)
    {
        var callable = (await ReadCallableAsync(ct))
            .Select(webhook => webhook with { Free = (webhook.Fails ? 1 : perWebhook) - busy.GetValueOrDefault(webhook.Id) })
            .Where(webhook => webhook.Free > 0).ToList();
        var from = callable.ToDictionary(webhook => webhook.Id, webhook => looks[webhook.Id].Next(webhook.At));
        var (lanes, looked) = await LookFromBeginningAsync(callable, room, ct);
        var others = callable.FindAll(webhook => !looked.Contains(webhook.Id));
        if (others.Count > 0 && lanes.Count < room)
            lanes.AddRange(await TakeAsync(others, others.ConvertAll(webhook => from[webhook.Id]), room - lanes.Count, ct));
        return lanes;
    }

    // One webhook at a time, for each may take long: those first for which it was tried the longest time ago. Before the others, which
    // might fill the room again and again.
    private async Task<(List<ClaimedLane> Lanes, HashSet<Guid> Looked)> LookFromBeginningAsync(
        List<CallableWebhook> callable, int room, CancellationToken ct)
    {
        var (lanes, looked) = (new List<ClaimedLane>(), new HashSet<Guid>());
        try
        {
            foreach (var webhook in callable.OrderByDescending(webhook => looks[webhook.Id].SinceTried))
            {
                if (lanes.Count >= room || !looks[webhook.Id].TryBeginWhole())
                    continue;
                lanes.AddRange(await TakeAsync([webhook], [DueFrom.Beginning], room - lanes.Count, ct));
                looked.Add(webhook.Id);
            }
        }
        finally
        {
            looks.Whole.End();
        }
        return (lanes, looked);
    }

    private async Task<List<ClaimedLane>> TakeAsync(List<CallableWebhook> webhooks, List<DateTime> from, int room, CancellationToken ct)
    {
        // No other take has it; a count would begin again with a lane's new row, or when the server lost its last moments.
        var claim = Random.Shared.NextInt64();
        var parameters = new
        {
            Webhooks = webhooks.ConvertAll(webhook => webhook.Id),
            Free = webhooks.ConvertAll(webhook => webhook.Free),
            From = from,
            Room = room,
            Claim = claim,
            Term,
        };
        var found = (await connection.QueryAsync<FoundLane>(new CommandDefinition(TakeSql, parameters, cancellationToken: ct))).AsList();
        NoteLooked(webhooks, found.ToLookup(lane => lane.WebhookId), room);
        return [.. from lane in found where lane.IsTaken select new ClaimedLane(lane.WebhookId, lane.Lane!.Value, claim)];
    }

    private async Task<List<CallableWebhook>> ReadCallableAsync(CancellationToken ct)
    {
        var all = (await connection.QueryAsync<CallableWebhook>(
            new CommandDefinition(AllSql, new { Backlog.FailingFrom }, cancellationToken: ct))).AsList();
        looks.Keep(all.Select(webhook => webhook.Id));
        return all.FindAll(webhook => webhook.IsCallable);
    }

    // In the order in which they were looked at, while there was room.
    private void NoteLooked(List<CallableWebhook> callable, ILookup<Guid, FoundLane> found, long room)
    {
        foreach (var webhook in callable)
        {
            if (room == 0)
                return;
            var (look, lanes) = (looks[webhook.Id], found[webhook.Id].ToList());
            var count = lanes.Count == 0 ? 0 : lanes[0].Found;
            // The next look finds those again that were found without being taken.
            if (lanes.Count(lane => lane.IsTaken) < count)
                look.Ended(lanes[0].FirstDueAt);
            else if (count < Math.Min(webhook.Free, room))
                look.LeftNothing(webhook.At);
            else
                look.Ended(lanes[0].LastDueAt);
            room -= count;
        }
    }

    /// <summary>Reads who is called, where, and with which secrets, again.</summary>
    public async Task ReadWebhooksAsync(IReadOnlyCollection<ClaimedLane> lanes, CancellationToken ct)
    {
        var from = Stopwatch.GetTimestamp();
        var ids = lanes.Select(lane => lane.WebhookId).Distinct().ToArray();
        var webhooks = (await connection.QueryAsync<CalledWebhook>(
            new CommandDefinition(WebhooksSql, new { Webhooks = ids }, cancellationToken: ct))).ToDictionary(webhook => webhook.Id);
        foreach (var lane in lanes)
            lane.Read(webhooks.GetValueOrDefault(lane.WebhookId), from);
    }

    /// <summary>Goes on holding lanes; what another node has taken meanwhile is that node's.</summary>
    public async Task RenewAsync(IReadOnlyCollection<ClaimedLane> lanes, CancellationToken ct)
    {
        var from = Stopwatch.GetTimestamp();
        var keys = new
        {
            Webhooks = lanes.Select(lane => lane.WebhookId).ToArray(),
            Lanes = lanes.Select(lane => lane.Lane).ToArray(),
            Claims = lanes.Select(lane => lane.Claim).ToArray(),
            Term,
        };
        var held = (await connection.QueryAsync<ClaimedLane>(new CommandDefinition(RenewSql, keys, cancellationToken: ct)))
            .Select(lane => (lane.WebhookId, lane.Lane, lane.Claim)).ToHashSet();
        foreach (var lane in lanes.Where(lane => held.Contains((lane.WebhookId, lane.Lane, lane.Claim))))
            lane.Renewed(from);
    }

    /// <summary>For how many seconds the oldest delivery has waited.</summary>
    public Task<double> ReadOldestAsync(CancellationToken ct) =>
        connection.QuerySingleAsync<double>(new CommandDefinition(OldestSql, cancellationToken: ct));

    // Of a webhook of which none was taken, one without a lane.
    private sealed record FoundLane(Guid WebhookId, Guid? Lane, DateTime FirstDueAt, DateTime LastDueAt, long Found)
    {
        public bool IsTaken => Lane is not null;
    }

    private sealed record CallableWebhook(Guid Id, bool Fails, bool IsCallable, DateTime At)
    {
        // How many more of its lanes this node may have.
        public int Free { get; init; }
    }
}
