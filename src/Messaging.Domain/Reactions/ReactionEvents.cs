using Messaging.Domain.Common;

namespace Messaging.Domain.Reactions;

/// <summary>Somebody has put an emoji to a message, or taken it away.</summary>
public sealed record MessageReacted(ConversationId ConversationId) : IEvent
{
    public const string Name = "message:reaction";

    public string Type => Name;
}
