using Messaging.Domain.Common;

namespace Messaging.Domain.Messages;

/// <summary>A message was sent.</summary>
public sealed record MessageSent(ConversationId ConversationId) : IEvent
{
    public const string Name = "message:new";

    public string Type => Name;
}

/// <summary>A message says something else than before.</summary>
public sealed record MessageEdited(ConversationId ConversationId) : IEvent
{
    public const string Name = "message:edited";

    public string Type => Name;
}

/// <summary>A message is gone: for everybody, or for one alone.</summary>
/// <param name="Audience">Who deleted it for oneself; null when it is gone for everybody.</param>
public sealed record MessageDeleted(ConversationId ConversationId, UserId? Audience = null) : IEvent
{
    public const string Name = "message:deleted";

    public string Type => Name;
}

/// <summary>A message was pinned for everybody, or is no more.</summary>
public sealed record MessagePinned(ConversationId ConversationId) : IEvent
{
    public const string Name = "message:pinned";

    public string Type => Name;
}

/// <summary>Somebody has read up to a message, or marks it as not read.</summary>
/// <param name="Audience">Null for everybody.</param>
public sealed record MessageRead(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "message:read";

    public string Type => Name;
}

/// <summary>Somebody has received up to a message.</summary>
/// <param name="Audience">Null for everybody.</param>
public sealed record MessageDelivered(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "message:delivered";

    public string Type => Name;
}

/// <summary>What is unread for somebody has changed by what befell a message.</summary>
public sealed record UnreadChanged(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "unread:changed";

    public string Type => Name;
}
