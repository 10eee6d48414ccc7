using Dapper;
using Messaging.Application.Notifications;
using Messaging.Application.Push;
using Messaging.Application.Receipts;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Push;

/// <summary>What pushes say and to whom, as it is at the moment at which they are claimed.</summary>
internal sealed class PushContent(PushTexts texts)
{
    // What may still be said of them, to their users as they are now. Index: pk_notifications, and those of the joins.
    private const string NotificationsSql =
        $"""
        {NotificationSql.OfIds}
        WHERE {NotificationSql.Wanted}
        """;

    // A device may have been registered anew for another platform, or what it was registered with be revoked. Index: pk_notifications,
    // pk_devices.
    private const string DevicesSql =
        $"""
        SELECT n.id AS notification_id, d.device_id, d.platform, d.token, d.p256dh, d.auth, d.last_seen_at
        FROM unnest(@Notifications::uuid[], @Devices::text[]) AS k (notification_id, device_id)
        JOIN notifications n ON n.id = k.notification_id
        JOIN devices d ON d.user_id = n.user_id AND d.device_id = k.device_id AND d.platform = ANY(@Platforms::text[])
            AND {DeviceSql.IsGood}
        """;

    // Index: as for a user's own badge.
    private const string BadgesSql =
        $"""
        SELECT u.id AS user_id, total.messages
        FROM (SELECT DISTINCT n.user_id FROM notifications n WHERE n.id = ANY(@Notifications)) AS u (id)
        CROSS JOIN LATERAL ({UnreadSql.Totals}) total
        """;

    /// <summary>What is to be sent of each; null where there is nothing to send any more, or nobody to send it to.</summary>
    /// <param name="platforms">Those of the provider.</param>
    public async Task<Func<ClaimedRow, PushMessage?>> ReadAsync(
        NpgsqlConnection connection, IReadOnlyCollection<string> platforms, List<ClaimedRow> rows, CancellationToken ct)
    {
        var parameters = new
        {
            Notifications = rows.Select(row => row.NotificationId).ToArray(),
            Devices = rows.Select(row => row.DeviceId).ToArray(),
            Platforms = platforms.ToArray(),
        };
        await using var grid = await connection.QueryMultipleAsync(
            new CommandDefinition($"{NotificationsSql};{DevicesSql};{BadgesSql}", parameters, cancellationToken: ct));
        var notifications = (await grid.ReadAsync<NotificationRow>()).DistinctBy(row => row.Id).ToDictionary(row => row.Id);
        var devices = (await grid.ReadAsync<DeviceRow>()).ToDictionary(row => (row.NotificationId, row.DeviceId));
        var badges = (await grid.ReadAsync<BadgeRow>()).ToDictionary(row => row.UserId, row => row.Messages);
        return row =>
        {
            var device = devices.GetValueOrDefault((row.NotificationId, row.DeviceId));
            return notifications.TryGetValue(row.NotificationId, out var notification) && (device is not null || row.DeviceId.Length == 0)
                ? notification.ToPush(texts, device?.ToDevice(), badges[notification.UserId.Value], row.ExpiresAt)
                : null;
        };
    }

    private sealed record BadgeRow(string UserId, long Messages);

    private sealed class DeviceRow
    {
        public Guid NotificationId { get; init; }

        public required string DeviceId { get; init; }

        public required string Platform { get; init; }

        public required string Token { get; init; }

        public string? P256dh { get; init; }

        public string? Auth { get; init; }

        public Instant LastSeenAt { get; init; }

        public PushDevice ToDevice() => new(DeviceId, Platform, Token, P256dh, Auth) { RegisteredAt = LastSeenAt };
    }
}
