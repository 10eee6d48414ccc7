using Messaging.Domain.Common;

namespace Messaging.Domain.Saved;

/// <summary>Somebody has saved a message for oneself, or saves it no more.</summary>
/// <param name="Audience">That one, and nobody else.</param>
public sealed record MessageSaved(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "message:saved";

    public string Type => Name;
}
