using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>Somebody takes part from now on.</summary>
public sealed record ParticipantAdded(ConversationId ConversationId) : IEvent
{
    public const string Name = "participant:added";

    public string Type => Name;
}

/// <summary>Somebody has another role.</summary>
public sealed record ParticipantUpdated(ConversationId ConversationId) : IEvent
{
    public const string Name = "participant:updated";

    public string Type => Name;
}

/// <summary>Somebody no longer takes part. Told to those who do, and with an audience to the one who went.</summary>
public sealed record ParticipantRemoved(ConversationId ConversationId, UserId? Audience = null) : IEvent
{
    public const string Name = "participant:removed";

    public string Type => Name;
}

/// <summary>One's own settings of a conversation have changed.</summary>
public sealed record SettingsUpdated(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "settings:updated";

    public string Type => Name;
}
