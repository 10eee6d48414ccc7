using System.Diagnostics;
using Dapper;
using Messaging.Application.Events;
using Messaging.Application.Webhooks;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>
/// Makes deliveries of the feed's events. All webhooks that keep up share one reading of the feed and one rendering of each event. One that
/// is disabled, fails or has too much waiting stays behind with a place of its own, costs the others nothing, and is led on from there in
/// turn with the others behind.
/// </summary>
public sealed class WebhookFollower(
    DirectDataSource database, FeedSignal signal, EventRenderer renderer, DeliverySignal deliveries, ILogger<WebhookFollower> logger)
    : FeedFollower("webhooks", database, signal, renderer, logger)
{
    // Few rows: the webhooks.
    private const string AtTheEndSql =
        """
        SELECT w.id, w.event_types, w.context_type, w.user_ids, w.created_at, p.position, NOT w.enabled AS stays_behind
        FROM webhooks w
        LEFT JOIN webhook_places p ON p.webhook_id = w.id
        WHERE p.position IS NULL
        """;

    // Some of those behind, in turn, and whether more may be made for them. Few rows: the webhooks. Index: ix_webhook_deliveries_log.
    private const string BehindSql =
        """
        SELECT w.id, w.event_types, w.context_type, w.user_ids, w.created_at, w.position, w.resumes = (
            SELECT count(*)
            FROM (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' LIMIT w.resumes) d) AS stays_behind
        FROM (
            SELECT w.id, w.event_types, w.context_type, w.user_ids, w.created_at, p.position,
                CASE WHEN p.failures >= @FailingFrom THEN @FullOfFailing::bigint ELSE @Full END / @ResumeDivisor::bigint AS resumes
            FROM webhook_places p
            JOIN webhooks w ON w.id = p.webhook_id
            WHERE p.position IS NOT NULL AND w.enabled AND w.id > @After
            ORDER BY w.id
            LIMIT @PageSize
        ) w
        ORDER BY w.id
        """;

    // Some of those at the end of the feed, in turn, and whether too much waits for them. Index: ix_webhook_deliveries_log.
    private const string FullSql =
        """
        SELECT w.id, w.full = (
            SELECT count(*)
            FROM (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' LIMIT w.full) d) AS is_full
        FROM (
            SELECT w.id, CASE WHEN p.failures >= @FailingFrom THEN @FullOfFailing::bigint ELSE @Full END AS full
            FROM webhooks w
            JOIN webhook_places p ON p.webhook_id = w.id
            WHERE p.position IS NULL AND w.id > @After
            ORDER BY w.id
            LIMIT @PageSize
        ) w
        ORDER BY w.id
        """;

    // Locks the webhooks' places.
    private const string PlaceSql =
        """
        INSERT INTO webhook_places AS p (webhook_id, position)
        SELECT id, @Position
        FROM unnest(@Ids::uuid[]) AS moved (id)
        ORDER BY id
        ON CONFLICT (webhook_id) DO UPDATE SET position = excluded.position
        """;

    private const string MeetSql =
        """
        INSERT INTO webhook_places (webhook_id)
        SELECT DISTINCT id
        FROM unnest(@Webhooks::uuid[]) AS met (id)
        ORDER BY id
        ON CONFLICT (webhook_id) DO NOTHING
        """;

    private const string MakeSql =
        """
        INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, next_at, created_at)
        SELECT d.id, d.webhook_id, e.lane, e.position, e.event_id, e.type, e.body, now(), clock_timestamp()
        FROM unnest(@Ids::uuid[], @Webhooks::uuid[], @Events::bigint[]) AS d (id, webhook_id, event)
        JOIN ROWS FROM (
            unnest(@Positions::bigint[]), unnest(@EventIds::text[]), unnest(@Types::text[]), unnest(@Lanes::uuid[]),
            unnest(@Bodies::bytea[])
        ) WITH ORDINALITY AS e (position, event_id, type, lane, body, no) ON e.no = d.event
        ORDER BY e.no
        """;

    // Locks the lanes, in the order in which all do: who empties one looks again once it has the lock, and leaves it there.
    private const string LanesSql =
        """
        INSERT INTO webhook_lanes AS l (webhook_id, lane, due_at)
        SELECT DISTINCT d.webhook_id, e.lane, now()
        FROM unnest(@Webhooks::uuid[], @Events::bigint[]) AS d (webhook_id, event)
        JOIN unnest(@Lanes::uuid[]) WITH ORDINALITY AS e (lane, no) ON e.no = d.event
        ORDER BY d.webhook_id, e.lane
        ON CONFLICT (webhook_id, lane) DO UPDATE SET due_at = l.due_at
        """;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly WebhookMatches matches = new(logger);
    private readonly Stride behind = new();
    private bool made;
    private Guid lastBehind;
    private bool someWereLed;
    private Guid lastLooked;
    private long looked = Stopwatch.GetTimestamp();

    protected override async Task<Decision> DecideAsync(
        FeedTail tail, FeedCursor after, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        var atTheEnd = await tail.QueryAsync<FollowingWebhook>(AtTheEndSql, new { }, ct);
        var leaving = atTheEnd.Where(webhook => webhook.StaysBehind).Select(webhook => webhook.Id).ToArray();
        var due = await matches.FindAsync(tail, after.Epoch, [.. atTheEnd.Where(webhook => !webhook.StaysBehind)], rows, ct);
        return new Decision(due.Looked, due.Count == 0 && leaving.Length == 0 ? null : WriteAsync);

        async Task WriteAsync(NpgsqlConnection connection)
        {
            await MakeAsync(connection, due);
            if (leaving.Length > 0)
                await connection.ExecuteAsync(PlaceSql, new { Ids = leaving, after.Position });
        }
    }

    protected override async Task<bool> GoOnAsync(Turn turn, FeedTail tail, FeedCursor at, CancellationToken ct)
    {
        if (made)
            deliveries.Raise();
        made = false;
        if (Stopwatch.GetElapsedTime(looked) >= LookEvery)
            await LookAsync(turn, tail, at, ct);
        var some = await tail.QueryAsync<FollowingWebhook>(BehindSql, Limits(lastBehind), ct);
        return some.Find(webhook => !webhook.StaysBehind) is { } next
            ? await LeadOnAsync(turn, tail, next, at, ct)
            : GoRound(some);
    }

    // In turn, and from the first one again after the last one: at once as long as anything is to be done for any of them.
    private bool GoRound(List<FollowingWebhook> others)
    {
        if (others.Count == Backlog.PageSize)
        {
            lastBehind = others[^1].Id;
            return true;
        }
        var goesOn = someWereLed;
        (lastBehind, someWereLed) = (Guid.Empty, false);
        return goesOn;
    }

    private static object Limits(Guid after) =>
        new { Backlog.FailingFrom, Backlog.Full, Backlog.FullOfFailing, Backlog.ResumeDivisor, Backlog.PageSize, After = after };

    private async Task<bool> LeadOnAsync(Turn turn, FeedTail tail, FollowingWebhook webhook, FeedCursor at, CancellationToken ct)
    {
        var before = lastBehind;
        // Another one is next also if this fails for good.
        (lastBehind, someWereLed) = (webhook.Id, true);
        if (!await LeadAsync(turn, tail, webhook, at, ct))
            lastBehind = before;
        return true;
    }

    // A batch for one that is behind; false to try at once with fewer events. Once it is where the others are, it goes on with them.
    private async Task<bool> LeadAsync(Turn turn, FeedTail tail, FollowingWebhook webhook, FeedCursor at, CancellationToken ct)
    {
        var (from, asked) = (webhook.Position!.Value, behind.Length);
        var (read, _, expired) = await tail.ReadNextAsync(from, asked, ct);
        if (from < expired)
            logger.LogError("The webhook {Id} missed the events up to {Position}: the feed keeps them no longer", webhook.Id, expired);
        List<FeedRow> rows = [.. read.Where(row => row.Position <= at.Position)];
        try
        {
            var due = await matches.FindAsync(tail, at.Epoch, [webhook], rows, ct);
            var joins = due.Looked == rows.Count && (read.Count < asked || read[^1].Position >= at.Position);
            await MoveAsync(turn, webhook, joins ? null : rows[due.Looked - 1].Position, due, at, ct);
            behind.Succeeded(rows.Count, due.Looked);
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested && rows.Count > 0)
        {
            if (!PassesOver(e, rows, behind))
                return false;
            await MoveAsync(turn, webhook, rows[0].Position, new DueDeliveries(), at, ct);
            return true;
        }
    }

    // Who joins the others goes on from where they are: that place is saved with it, though it led to nothing for them.
    private Task<bool> MoveAsync(
        Turn turn, FollowingWebhook webhook, long? position, DueDeliveries due, FeedCursor at, CancellationToken ct)
    {
        return WriteAsync(turn, WriteBothAsync, ct);

        async Task WriteBothAsync(NpgsqlConnection connection)
        {
            await MakeAsync(connection, due);
            await connection.ExecuteAsync(PlaceSql, new { Ids = new[] { webhook.Id }, Position = position });
            if (position is null)
                await SaveAsync(connection, at, ct);
        }
    }

    private async Task LookAsync(Turn turn, FeedTail tail, FeedCursor at, CancellationToken ct)
    {
        looked = Stopwatch.GetTimestamp();
        var some = await tail.QueryAsync<FullRow>(FullSql, Limits(lastLooked), ct);
        lastLooked = some.Count == Backlog.PageSize ? some[^1].Id : Guid.Empty;
        var full = some.Where(webhook => webhook.IsFull).Select(webhook => webhook.Id).ToArray();
        if (full.Length > 0)
            await WriteAsync(turn, connection => connection.ExecuteAsync(PlaceSql, new { Ids = full, at.Position }), ct);
    }

    private async Task MakeAsync(NpgsqlConnection connection, DueDeliveries due)
    {
        if (due.Count == 0)
            return;
        await connection.ExecuteAsync($"{MeetSql}; {MakeSql}; {LanesSql}", due);
        made = true;
    }

    private sealed record FullRow(Guid Id, bool IsFull);
}
