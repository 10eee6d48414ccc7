using Messaging.Application.Common;

namespace Messaging.Application.Presence;

/// <summary>Who is there.</summary>
public sealed class PresenceModule : Module
{
    // When somebody was last seen.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["users"];
}
