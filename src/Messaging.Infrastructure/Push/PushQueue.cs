using System.Collections.Concurrent;
using Dapper;
using Messaging.Application.Notifications;
using Messaging.Infrastructure.Database;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Push;

/// <summary>
/// The pushes in the database. A node that dies loses none: what it had claimed is due again after <see cref="Visibility"/>. What it says
/// later of a claim that is not its own any more changes nothing.
/// </summary>
public sealed class PushQueue(NpgsqlDataSource database, PushTexts texts, IClock clock, TimeProvider time)
{
    /// <summary>How long a claim is good: longer than a provider may take.</summary>
    public static readonly Duration Visibility = Duration.FromMinutes(2);

    /// <summary>How long it is tried.</summary>
    public static readonly Duration Lifetime = Duration.FromHours(24);

    private const int MakeSize = 500;

    // Locks the notifications, each by one node. Index: ix_notifications_due.
    private const string DueSql =
        """
        SELECT n.id, n.push_at AS due_at
        FROM notifications n
        WHERE n.delivery = 'pending' AND n.push_at >= @From AND n.push_at <= @Now
        ORDER BY n.push_at
        LIMIT @Limit
        FOR NO KEY UPDATE SKIP LOCKED
        """;

    // Of an earlier raise: whoever is sending them has lost its claim. Index: pk_pushes.
    private const string ForgetSql = "DELETE FROM pushes WHERE notification_id = ANY(@Ids)";

    // Index: pk_notifications, pk_devices.
    private const string MakeSql =
        $"""
        INSERT INTO pushes (notification_id, provider, device_id, next_attempt_at, expires_at)
        SELECT n.id, t.provider, coalesce(d.device_id, ''), @Now, @ExpiresAt
        FROM notifications n
        CROSS JOIN unnest(@Providers::text[], @Platforms::text[]) AS t (provider, platform)
        LEFT JOIN devices d ON d.user_id = n.user_id AND d.platform = t.platform
            AND CASE WHEN t.platform = 'web' THEN n.to_web ELSE n.to_mobile END AND {DeviceSql.IsGood}
        WHERE n.id = ANY(@Ids) AND n.read_at IS NULL AND (t.platform = '' OR d.device_id IS NOT NULL)
        """;

    // Index: pk_notifications, pk_pushes.
    private const string MadeSql =
        """
        UPDATE notifications n
        SET push_at = 'infinity',
            delivery = CASE WHEN EXISTS (SELECT FROM pushes p WHERE p.notification_id = n.id) THEN 'pending' ELSE 'none' END
        WHERE n.id = ANY(@Ids)
        """;

    // Locks the pushes, each for one node. They are found once: joined, they might be looked for anew for each row, and all be taken.
    // Index: ix_pushes_due, then pk_pushes.
    private const string ClaimSql =
        """
        WITH due AS MATERIALIZED (
            SELECT q.notification_id, q.provider, q.device_id, q.next_attempt_at AS due_at
            FROM pushes q
            WHERE q.state = 'pending' AND q.provider = @Provider AND q.next_attempt_at >= @From AND q.next_attempt_at <= @Now
            ORDER BY q.next_attempt_at
            LIMIT @Limit
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE pushes p
        SET claim = @Claim, attempts = p.attempts + 1, next_attempt_at = @Until
        FROM due
        WHERE p.notification_id = due.notification_id AND p.provider = due.provider AND p.device_id = due.device_id
        RETURNING p.notification_id, p.device_id, p.attempts, p.expires_at, due.due_at
        """;

    // Locks the notifications: of two pushes of one that end at once, the later one sees both.
    private const string LockSql =
        """
        SELECT n.id
        FROM notifications n
        WHERE n.id = ANY(@Notifications)
        FOR NO KEY UPDATE
        """;

    // The same of those that nobody else has locked.
    private const string FreeSql = $"{LockSql} SKIP LOCKED";

    // None becomes due in the past, where looks do not begin, however long it took to write it down. Index: pk_pushes.
    private const string SettleSql =
        """
        UPDATE pushes p
        SET state = o.state, attempts = o.attempts, next_attempt_at = greatest(o.next_attempt_at, @Now), error = o.error,
            provider_id = o.provider_id, settled_at = CASE WHEN o.state <> 'pending' THEN @Now::timestamptz END
        FROM unnest(
            @Notifications::uuid[], @Providers::text[], @Devices::text[], @Claims::uuid[], @States::text[], @Attempts::integer[],
            @Next::timestamptz[], @Errors::text[], @ProviderIds::text[])
            AS o (notification_id, provider, device_id, claim, state, attempts, next_attempt_at, error, provider_id)
        WHERE p.notification_id = o.notification_id AND p.provider = o.provider AND p.device_id = o.device_id AND p.claim = o.claim
            AND p.state = 'pending'
        """;

    // Not what was registered anew meanwhile, be it with the same token: the provider may know it again. Waits for no device while it has
    // locked another: whoever else has one locked removes it or registers it anew, or else it bounces again. Index: pk_devices.
    private const string UnregisterSql =
        """
        DELETE FROM devices
        WHERE (user_id, device_id) IN (
            SELECT d.user_id, d.device_id
            FROM unnest(@Users::text[], @Devices::text[], @Tokens::text[], @Registered::timestamptz[])
                AS o (user_id, device_id, token, registered_at)
            JOIN devices d ON d.user_id = o.user_id AND d.device_id = o.device_id
            WHERE d.token = o.token AND d.last_seen_at = o.registered_at
            FOR UPDATE OF d SKIP LOCKED)
        """;

    // One that was raised again meanwhile is pending anyway. Index: pk_pushes, pk_notifications.
    private const string DeliverySql =
        """
        UPDATE notifications n
        SET delivery = s.delivery
        FROM (
            SELECT p.notification_id, CASE
                WHEN bool_or(p.state = 'sent') THEN 'sent'
                WHEN bool_or(p.state = 'pending') THEN 'pending'
                WHEN bool_or(p.state = 'failed') THEN 'failed'
                WHEN bool_or(p.state = 'bounced') THEN 'bounced'
                ELSE 'none' END AS delivery
            FROM pushes p
            WHERE p.notification_id = ANY(@Notifications)
            GROUP BY p.notification_id
        ) s
        WHERE n.id = s.notification_id AND n.push_at = 'infinity' AND n.delivery <> s.delivery
        """;

    private readonly PushContent content = new(texts);
    private readonly DueFrom notifications = new(time);
    private readonly ConcurrentDictionary<string, DueFrom> pushes = new();

    /// <summary>The database's time.</summary>
    public Instant Now => clock.GetCurrentInstant();

    /// <summary>Puts notifications that are due into the queue, some hundred at a time.</summary>
    /// <param name="targets">The platforms of devices, each with its provider; one without devices has an empty platform.</param>
    /// <returns>How many there were.</returns>
    public async Task<int> MakeAsync(IReadOnlyList<(string Provider, string Platform)> targets, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var now = Now;
        var asked = new { From = notifications.NextOrWhole(now.ToDateTimeUtc()), Now = now.ToDateTimeUtc(), Limit = MakeSize };
        var due = await LookAsync<DueRow>(
            connection, notifications, new CommandDefinition(DueSql, asked, transaction, cancellationToken: ct));
        var parameters = new
        {
            Ids = due.ConvertAll(row => row.Id),
            Providers = targets.Select(target => target.Provider).ToArray(),
            Platforms = targets.Select(target => target.Platform).ToArray(),
            Now = now.ToDateTimeUtc(),
            ExpiresAt = (now + Lifetime).ToDateTimeUtc(),
        };
        if (due.Count > 0)
            await connection.ExecuteAsync(
                new CommandDefinition($"{ForgetSql};{MakeSql};{MadeSql}", parameters, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        notifications.Found(due.ConvertAll(row => row.DueAt.ToDateTimeUtc()), MakeSize, asked.Now);
        return due.Count;
    }

    /// <summary>
    /// Claims what is due of a provider, with what is to be sent at this moment; without a message where the notification was read, or
    /// there is nothing left of it, or no device that the provider serves.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedPush>> ClaimAsync(
        string provider, IReadOnlyCollection<string> platforms, int limit, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var (claim, now, asked) = (Guid.NewGuid(), Now, time.GetTimestamp());
        var look = pushes.GetOrAdd(provider, _ => new DueFrom(time));
        var parameters = new
        {
            Claim = claim, Provider = provider, Limit = limit,
            From = look.NextOrWhole(now.ToDateTimeUtc()), Now = now.ToDateTimeUtc(), Until = (now + Visibility).ToDateTimeUtc(),
        };
        var rows = await LookAsync<ClaimedRow>(connection, look, new CommandDefinition(ClaimSql, parameters, cancellationToken: ct));
        look.Found(rows.ConvertAll(row => row.DueAt.ToDateTimeUtc()), limit, parameters.Now);
        if (rows.Count == 0)
            return [];
        var messageOf = await content.ReadAsync(connection, platforms, rows, ct);
        return
        [
            .. from row in rows
               let key = new PushKey(row.NotificationId, provider, row.DeviceId)
               select new ClaimedPush(key, claim, row.Attempts, row.ExpiresAt, messageOf(row)) { AskedAt = asked },
        ];
    }

    /// <summary>False once another node may have it, as after a pause of this one.</summary>
    public bool Holds(ClaimedPush push) => time.GetElapsedTime(push.AskedAt) < Visibility.ToTimeSpan() / 2;

    /// <summary>
    /// Writes down what came of some pushes, and what that means for their notifications and devices. Waits for no notification while
    /// another is locked: whoever makes and withdraws them locks them in no order.
    /// </summary>
    public async Task SettleAsync(IReadOnlyList<SettledPush> settled, CancellationToken ct)
    {
        foreach (var rest in (await SettleAsync(settled, FreeSql, ct)).GroupBy(one => one.Push.Key.NotificationId))
            await SettleAsync([.. rest], LockSql, ct);
    }

    private static async Task<List<T>> LookAsync<T>(NpgsqlConnection connection, DueFrom look, CommandDefinition command)
    {
        try
        {
            return (await connection.QueryAsync<T>(command)).AsList();
        }
        finally
        {
            look.Looked();
        }
    }

    // Answers with those that somebody else has locked.
    private async Task<IReadOnlyList<SettledPush>> SettleAsync(IReadOnlyList<SettledPush> all, string lockSql, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var asked = new { Notifications = all.Select(one => one.Push.Key.NotificationId).Distinct().ToArray() };
        var locking = new CommandDefinition(lockSql, asked, transaction, cancellationToken: ct);
        var locked = (await connection.QueryAsync<Guid>(locking)).ToHashSet();
        List<SettledPush> settled = [.. all.Where(one => locked.Contains(one.Push.Key.NotificationId))];
        var of = ParametersOf(settled);
        await connection.ExecuteAsync(new CommandDefinition(SettleSql, of, transaction, cancellationToken: ct));
        // Whatever became of their notifications.
        await UnregisterAsync(connection, transaction, all, ct);
        await connection.ExecuteAsync(new CommandDefinition(DeliverySql, of, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return [.. all.Where(one => !locked.Contains(one.Push.Key.NotificationId))];
    }

    private object ParametersOf(List<SettledPush> settled)
    {
        var keys = settled.Select(one => one.Push.Key).ToList();
        return new
        {
            Notifications = keys.Select(key => key.NotificationId).ToArray(),
            Providers = keys.Select(key => key.Provider).ToArray(),
            Devices = keys.Select(key => key.DeviceId).ToArray(),
            Claims = settled.Select(one => one.Push.Claim).ToArray(),
            States = settled.Select(one => one.State).ToArray(),
            Attempts = settled.Select(one => one.Attempts).ToArray(),
            Next = settled.Select(one => one.NextAttemptAt.ToDateTimeUtc()).ToArray(),
            Errors = settled.Select(one => one.Error).ToArray(),
            ProviderIds = settled.Select(one => one.ProviderId).ToArray(),
            Now = Now.ToDateTimeUtc(),
        };
    }

    private static Task UnregisterAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<SettledPush> settled, CancellationToken ct)
    {
        var gone = settled.Where(one => one.State == PushStates.Bounced).Select(one => one.Push.Message!)
            .Where(push => push.Device is not null).ToList();
        return gone.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync(new CommandDefinition(
            UnregisterSql,
            new
            {
                Users = gone.Select(push => push.UserId).ToArray(),
                Devices = gone.Select(push => push.Device!.DeviceId).ToArray(),
                Tokens = gone.Select(push => push.Device!.Token).ToArray(),
                Registered = gone.Select(push => push.Device!.RegisteredAt.ToDateTimeUtc()).ToArray(),
            },
            transaction,
            cancellationToken: ct));
    }

    private sealed record DueRow(Guid Id, Instant DueAt);
}
