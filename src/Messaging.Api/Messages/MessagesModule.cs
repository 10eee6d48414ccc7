using Messaging.Api.Configuration;

namespace Messaging.Api.Messages;

/// <summary>Messages and pins.</summary>
public sealed class MessagesModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Messages"] = "Messages of a conversation, numbered without gaps by `seq`.",
    };

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMessages();
        routes.MapPins();
    }
}
