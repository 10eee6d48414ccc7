using Messaging.Api.Configuration;

namespace Messaging.Api.Moderation;

/// <summary>Reports.</summary>
public sealed class ModerationModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapReports();
}
