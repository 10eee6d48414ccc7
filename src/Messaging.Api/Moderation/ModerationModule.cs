using Messaging.Api.Configuration;

namespace Messaging.Api.Moderation;

/// <summary>Reports.</summary>
public sealed class ModerationModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Moderation"] = "What moderators see and nobody else.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapReports();
}
