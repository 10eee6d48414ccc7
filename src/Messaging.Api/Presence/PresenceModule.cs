using Messaging.Api.Configuration;

namespace Messaging.Api.Presence;

/// <summary>Who is there, and who is typing.</summary>
public sealed class PresenceModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapPresence();
}
