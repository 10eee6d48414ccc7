using Messaging.Api.Configuration;

namespace Messaging.Api.Saved;

/// <summary>Saved messages.</summary>
public sealed class SavedModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapSaved();
}
