using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using Messaging.Domain.Notifications;
using NodaTime;

namespace Messaging.Application.Notifications;

/// <summary>
/// Registers a device of the user, or says that it is still in use. A token that was registered before, be it by another user, is from now
/// on this device's alone. With the login, key or token that it was registered with last, the device ends.
/// </summary>
/// <param name="By">What the user was let in by.</param>
public sealed record PutDevice(Credential By, string DeviceId, DevicePlatform Platform, string Token, DeviceKeys? Keys)
    : ICommand<Upserted<DeviceView>>
{
    public const int Limit = 50;
}

public sealed class PutDeviceHandler(DbSession session, IClock clock) : IRequestHandler<PutDevice, Upserted<DeviceView>>
{
    // Locks the token, which several users may register at once, then the user's row: devices are counted and added one after the
    // other. Then the devices, in one order: two users may swap theirs. Index: pk_users, uq_devices_token, pk_devices.
    private const string LockSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:device:' || @Platform || ':' || @Token, 0));

        SELECT id
        FROM users
        WHERE id = @UserId
        FOR NO KEY UPDATE;

        SELECT device_id
        FROM devices
        WHERE user_id = @UserId OR (platform = @Platform AND token = @Token)
        ORDER BY user_id, device_id
        FOR UPDATE
        """;

    // Whoever had the token before, and devices of the user that take nothing any more, make room. Index: uq_devices_token, pk_devices.
    private const string TakeSql =
        $"""
        DELETE FROM devices
        WHERE platform = @Platform AND token = @Token AND (user_id, device_id) <> (@UserId, @DeviceId);

        DELETE FROM devices d
        WHERE d.user_id = @UserId AND NOT ({DeviceSql.IsGood});

        SELECT count(*) AS others, (SELECT created_at FROM devices WHERE user_id = @UserId AND device_id = @DeviceId) AS created_at
        FROM devices
        WHERE user_id = @UserId AND device_id <> @DeviceId
        """;

    // Index: pk_devices.
    private const string SaveSql =
        $"""
        INSERT INTO devices AS d (user_id, device_id, platform, token, p256dh, auth, family_hash, service_key_id, issued_at, created_at,
            last_seen_at)
        VALUES (@UserId, @DeviceId, @Platform, @Token, @P256dh, @Auth, @FamilyHash, @ServiceKeyId, @IssuedAt, @Now, @Now)
        ON CONFLICT (user_id, device_id) DO UPDATE
        SET platform = excluded.platform, token = excluded.token, p256dh = excluded.p256dh, auth = excluded.auth,
            family_hash = excluded.family_hash, service_key_id = excluded.service_key_id, issued_at = excluded.issued_at,
            last_seen_at = excluded.last_seen_at
        RETURNING {DeviceRow.Columns}, {DeviceSql.IsGood} AS is_good
        """;

    public async Task<Upserted<DeviceView>> Handle(PutDevice command, CancellationToken ct)
    {
        var user = command.By.UserId ?? throw CommonErrors.UserNeeded();
        return await session.TransactAsync(() => SaveAsync(user, command, ct), ct);
    }

    private async Task<Upserted<DeviceView>> SaveAsync(UserId user, PutDevice command, CancellationToken ct)
    {
        var device = new
        {
            UserId = user.Value,
            command.DeviceId,
            Platform = command.Platform.ToString().ToLowerInvariant(),
            command.Token,
            command.Keys?.P256dh,
            command.Keys?.Auth,
            FamilyHash = RefreshToken.FamilyHashOf(command.By.Session),
            command.By.ServiceKeyId,
            command.By.IssuedAt,
            Now = clock.GetCurrentInstant(),
        };
        await session.ExecuteAsync(LockSql, device, ct);
        var (others, since) = await session.QuerySingleAsync<Counted>(TakeSql, device, ct);
        if (since is null && others >= PutDevice.Limit)
            throw DeviceErrors.TooMany(PutDevice.Limit);
        var saved = await session.QuerySingleAsync<Saved>(SaveSql, device, ct);
        // The request was let in before.
        if (!saved.IsGood)
            throw DeviceErrors.Revoked();
        return new Upserted<DeviceView>(saved.ToView(), Created: since is null);
    }

    private sealed record Saved : DeviceRow
    {
        public bool IsGood { get; init; }
    }

    private sealed record Counted(long Others, Instant? CreatedAt);
}
