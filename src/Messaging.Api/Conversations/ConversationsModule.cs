using Messaging.Api.Configuration;

namespace Messaging.Api.Conversations;

/// <summary>Conversations, groups and what everybody makes of them.</summary>
public sealed class ConversationsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Conversations"] = "Direct and group conversations, and the inbox.",
        ["Participants"] = "Who takes part in a group, in which role, and who is kept out.",
        ["Own state"] = "How far one has read, one's own settings of a conversation, and what one sees of it.",
    };

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapConversations();
        routes.MapGroups();
        routes.MapOwnState();
    }
}
