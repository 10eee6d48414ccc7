using Messaging.Domain.Common;

namespace Messaging.Domain.Conversations;

/// <summary>A conversation is there. Without an audience for all its founding members, with one for somebody added later.</summary>
public sealed record ConversationCreated(ConversationId ConversationId, UserId? Audience = null) : IEvent
{
    public const string Name = "conversation:created";

    public string Type => Name;
}

/// <summary>A conversation says something else of itself: its name, rules, owner, or that it is no longer archived.</summary>
public sealed record ConversationUpdated(ConversationId ConversationId) : IEvent
{
    public const string Name = "conversation:updated";

    public string Type => Name;
}

/// <summary>A conversation was put away for everyone.</summary>
public sealed record ConversationArchived(ConversationId ConversationId) : IEvent
{
    public const string Name = "conversation:archived";

    public string Type => Name;
}

/// <summary>Nothing can be sent to a conversation any more.</summary>
public sealed record ConversationClosed(ConversationId ConversationId) : IEvent
{
    public const string Name = "conversation:closed";

    public string Type => Name;
}

/// <summary>A closed conversation takes messages again.</summary>
public sealed record ConversationReopened(ConversationId ConversationId) : IEvent
{
    public const string Name = "conversation:reopened";

    public string Type => Name;
}

/// <summary>A conversation is gone. Told to each one who took part, since nobody does any more.</summary>
public sealed record ConversationDeleted(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "conversation:deleted";

    public string Type => Name;
}
