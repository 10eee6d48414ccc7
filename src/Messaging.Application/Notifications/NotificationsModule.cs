using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Application.Notifications;

/// <summary>What each user is notified of, and the devices that take pushes.</summary>
public sealed class NotificationsModule : Module
{
    /// <summary>After these, push services of phones count an installation as abandoned.</summary>
    private const int DeviceDays = 270;

    // Waits for nobody, since others may wait for it: see ReadNotifications. Index: ix_notifications_raised_in, pk_notifications.
    private const string OldSql =
        """
        DELETE FROM notifications
        WHERE id = ANY (ARRAY(
            SELECT id
            FROM notifications
            WHERE raised_in AT TIME ZONE 'UTC' < @Before::timestamptz AT TIME ZONE 'UTC' AND raised_at < @Before
            ORDER BY raised_in AT TIME ZONE 'UTC'
            LIMIT @Limit
            FOR UPDATE SKIP LOCKED))
        """;

    // Waits for nobody, since devices are locked in another order elsewhere. Index: ix_devices_last_seen_at, pk_devices.
    private const string OldDevicesSql =
        """
        DELETE FROM devices
        WHERE (user_id, device_id) IN (
            SELECT user_id, device_id
            FROM devices
            WHERE last_seen_at < @Before
            ORDER BY last_seen_at
            LIMIT @Limit
            FOR UPDATE SKIP LOCKED)
        """;

    // Index: ix_notifications_place.
    private const string PurgeSql = "DELETE FROM notifications WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } = ["devices", "notifications"];

    public override IReadOnlyList<OldRows> OldRows { get; } =
    [
        new(OldSql, settings => Duration.FromDays(settings.NotificationDays)),
        new(OldDevicesSql, Duration.FromDays(DeviceDays)),
    ];

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<PushTexts>();
}
