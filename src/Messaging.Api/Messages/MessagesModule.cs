using Messaging.Api.Configuration;

namespace Messaging.Api.Messages;

/// <summary>Messages and pins.</summary>
public sealed class MessagesModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMessages();
        routes.MapPins();
    }
}
