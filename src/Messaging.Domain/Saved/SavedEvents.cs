using Messaging.Domain.Common;

namespace Messaging.Domain.Saved;

/// <summary>A user has saved a message, or removed it from the saved ones.</summary>
/// <param name="Audience">The user, and nobody else.</param>
public sealed record MessageSaved(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "message:saved";

    public string Type => Name;
}
