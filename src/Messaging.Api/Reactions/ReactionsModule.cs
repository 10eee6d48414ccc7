using Messaging.Api.Configuration;

namespace Messaging.Api.Reactions;

/// <summary>Reactions.</summary>
public sealed class ReactionsModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapReactions();
}
