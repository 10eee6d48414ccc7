using Messaging.Domain.Common;

namespace Messaging.Domain.Conversations;

/// <summary>A conversation is there. Without an audience for all its founding members, with one for somebody added later.</summary>
public sealed record ConversationCreated(ConversationId ConversationId, UserId? Audience = null) : IEvent
{
    public const string Name = "conversation:created";

    public string Type => Name;
}
