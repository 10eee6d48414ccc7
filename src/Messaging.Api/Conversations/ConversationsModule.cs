using Messaging.Api.Configuration;

namespace Messaging.Api.Conversations;

/// <summary>Conversations, groups and what everybody makes of them.</summary>
public sealed class ConversationsModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapConversations();
        routes.MapGroups();
        routes.MapOwnState();
    }
}
