using Messaging.Api.Configuration;

namespace Messaging.Api.Notifications;

/// <summary>Notifications and devices.</summary>
public sealed class NotificationsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Notifications"] = "What users are notified of while they are not looking, and the devices that take pushes.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapNotifications().MapDevices();
}
