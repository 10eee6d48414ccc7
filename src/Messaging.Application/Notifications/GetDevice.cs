using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Notifications;

/// <summary>One of the user's devices.</summary>
public sealed record GetDevice(Actor Actor, string DeviceId) : IQuery<DeviceView>;

public sealed class GetDeviceHandler(DbSession session) : IRequestHandler<GetDevice, DeviceView>
{
    // Index: pk_devices.
    private const string FindSql =
        $"""
        SELECT {DeviceRow.Columns}
        FROM devices d
        WHERE d.user_id = @UserId AND d.device_id = @DeviceId AND {DeviceSql.IsGood}
        """;

    public async Task<DeviceView> Handle(GetDevice query, CancellationToken ct)
    {
        var row = await session.QuerySingleOrDefaultAsync<DeviceRow>(
            FindSql, new { UserId = query.Actor.RequireUser().Value, query.DeviceId }, ct);
        return (row ?? throw CommonErrors.NotFound()).ToView();
    }
}
