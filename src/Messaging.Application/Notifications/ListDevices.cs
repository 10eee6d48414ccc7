using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Notifications;

/// <summary>All of the user's devices, by their ids.</summary>
public sealed record ListDevices(Actor Actor) : IQuery<Page<DeviceView>>;

public sealed class ListDevicesHandler(DbSession session) : IRequestHandler<ListDevices, Page<DeviceView>>
{
    // Index: pk_devices; a user has few.
    private const string ListSql =
        $"""
        SELECT {DeviceRow.Columns}
        FROM devices d
        WHERE d.user_id = @UserId AND {DeviceSql.IsGood}
        ORDER BY d.device_id
        """;

    public async Task<Page<DeviceView>> Handle(ListDevices query, CancellationToken ct)
    {
        var rows = await session.QueryAsync<DeviceRow>(ListSql, new { UserId = query.Actor.RequireUser().Value }, ct);
        return new Page<DeviceView>([.. rows.Select(row => row.ToView())]);
    }
}
