using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Notifications;

/// <summary>Ends pushes to one of the user's devices, if it is one: to be done before logging out.</summary>
public sealed record DeleteDevice(Actor Actor, string DeviceId) : ICommand<Done>;

public sealed class DeleteDeviceHandler(DbSession session) : IRequestHandler<DeleteDevice, Done>
{
    // Index: pk_devices.
    private const string DeleteSql =
        """
        DELETE FROM devices
        WHERE user_id = @UserId AND device_id = @DeviceId
        """;

    public async Task<Done> Handle(DeleteDevice command, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteSql, new { UserId = command.Actor.RequireUser().Value, command.DeviceId }, ct);
        return default;
    }
}
