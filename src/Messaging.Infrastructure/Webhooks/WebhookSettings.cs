using Messaging.Application.Common;

namespace Messaging.Infrastructure.Webhooks;

/// <summary><c>Messaging__Webhooks__*</c>.</summary>
public sealed class WebhookSettings : ISettings
{
    public static string Section => "Messaging:Webhooks";

    /// <summary>Whether addresses in private networks are called, too; for tests and closed networks.</summary>
    public bool AllowPrivateNetworks { get; init; }
}
