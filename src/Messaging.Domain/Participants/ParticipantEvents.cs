using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>Somebody takes part from now on.</summary>
public sealed record ParticipantAdded(ConversationId ConversationId) : IEvent
{
    public const string Name = "participant:added";

    public string Type => Name;

    public UserId? Audience => null;
}
