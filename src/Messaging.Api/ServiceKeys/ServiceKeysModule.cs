using Messaging.Api.Configuration;

namespace Messaging.Api.ServiceKeys;

/// <summary>Service keys.</summary>
public sealed class ServiceKeysModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapServiceKeys();
}
