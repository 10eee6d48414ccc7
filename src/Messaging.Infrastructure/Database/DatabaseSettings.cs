using Messaging.Application.Common;

namespace Messaging.Infrastructure.Database;

/// <summary><c>Messaging__Database__*</c>.</summary>
public sealed class DatabaseSettings : ISettings
{
    public static string Section => "Messaging:Database";

    /// <summary>Runs on a server that may lose in a crash what was acknowledged: for tests only.</summary>
    public bool AllowUnsafeDurability { get; init; }

    /// <summary>How long the service waits at start for a server that does not answer yet.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
