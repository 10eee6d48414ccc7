using Messaging.Api.Configuration;

namespace Messaging.Api.Events;

/// <summary>Catching up.</summary>
public sealed class EventsModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapSync();
}
