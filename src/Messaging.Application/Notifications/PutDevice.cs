using System.Data.Common;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.Notifications;
using NodaTime;

namespace Messaging.Application.Notifications;

/// <summary>
/// Registers a device of the user, or says that it is still in use. A token that was registered before, be it by another user, is from now
/// on this device's alone.
/// </summary>
public sealed record PutDevice(Actor Actor, string DeviceId, DevicePlatform Platform, string Token, DeviceKeys? Keys)
    : ICommand<Upserted<DeviceView>>
{
    public const int Limit = 50;
}

public sealed class PutDeviceValidator : AbstractValidator<PutDevice>
{
    private const int TokenLength = 2_048;

    public PutDeviceValidator()
    {
        RuleFor(d => d.Token).Must(token => token.Length is >= 1 and <= TokenLength && token.All(c => c is > ' ' and <= '~'))
            .WithMessage("A token has 1 to 2,048 characters of ASCII, without spaces.");
        RuleFor(d => d.Keys).Must((device, keys) => (keys is not null) == (device.Platform is DevicePlatform.Web))
            .WithMessage("The keys of the subscription are expected for the platform web, and for no other.");
        When(d => d.Platform is DevicePlatform.Web, () => RuleFor(d => d.Token).Must(IsSecureAddress)
            .WithMessage("For the platform web, the token is the subscription's endpoint, an https address."));
        RuleFor(d => d.Keys!).SetValidator(new DeviceKeysValidator()).When(d => d.Keys is not null);
    }

    private static bool IsSecureAddress(string token) =>
        Uri.TryCreate(token, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.UserInfo.Length == 0;
}

public sealed class PutDeviceHandler(DbSession session, IClock clock, IWebhookAddresses addresses)
    : IRequestHandler<PutDevice, Upserted<DeviceView>>
{
    // Locks the user's row: devices are counted and added one after the other. Index: pk_users.
    private const string LockSql =
        """
        SELECT id
        FROM users
        WHERE id = @UserId
        FOR NO KEY UPDATE
        """;

    // Index: uq_devices_token, pk_devices.
    private const string TakeSql =
        """
        DELETE FROM devices
        WHERE platform = @Platform AND token = @Token AND (user_id, device_id) <> (@UserId, @DeviceId);

        SELECT count(*) AS others, (SELECT created_at FROM devices WHERE user_id = @UserId AND device_id = @DeviceId) AS created_at
        FROM devices
        WHERE user_id = @UserId AND device_id <> @DeviceId
        """;

    // Index: pk_devices.
    private const string SaveSql =
        $"""
        INSERT INTO devices AS d (user_id, device_id, platform, token, p256dh, auth, created_at, last_seen_at)
        VALUES (@UserId, @DeviceId, @Platform, @Token, @P256dh, @Auth, @Now, @Now)
        ON CONFLICT (user_id, device_id) DO UPDATE
        SET platform = excluded.platform, token = excluded.token, p256dh = excluded.p256dh, auth = excluded.auth,
            last_seen_at = excluded.last_seen_at
        RETURNING {DeviceRow.Columns}
        """;

    public async Task<Upserted<DeviceView>> Handle(PutDevice command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        // A name may take long to be looked up: not within a transaction.
        if (command.Platform is DevicePlatform.Web && await addresses.IsRefusedAsync(new Uri(command.Token), ct))
            throw CommonErrors.Invalid("token", "The endpoint of a push service is expected, which is in no private network.");
        try
        {
            return await session.TransactAsync(() => SaveAsync(user, command, ct), ct);
        }
        // Another user has registered the same token at this moment: whoever is last has it.
        catch (DbException e) when (e.Violates("uq_devices_token"))
        {
            throw new ChangedMeanwhileException(e);
        }
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
            Now = clock.GetCurrentInstant(),
        };
        await session.QuerySingleOrDefaultAsync<string>(LockSql, device, ct);
        var (others, since) = await session.QuerySingleAsync<Counted>(TakeSql, device, ct);
        if (since is null && others >= PutDevice.Limit)
            throw DeviceErrors.TooMany(PutDevice.Limit);
        var saved = await session.QuerySingleAsync<DeviceRow>(SaveSql, device, ct);
        return new Upserted<DeviceView>(saved.ToView(), Created: since is null);
    }

    private sealed record Counted(long Others, Instant? CreatedAt);
}
