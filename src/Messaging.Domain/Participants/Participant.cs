using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Participants;

public enum ParticipantRole
{
    Owner,
    Admin,
    Member,
}

/// <summary>A user's membership of a conversation. Its read pointer never moves backwards here and never passes the newest message.</summary>
public sealed class Participant(ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq)
{
    public ConversationId ConversationId { get; } = conversationId;

    public UserId UserId { get; } = userId;

    public ParticipantRole Role { get; } = role;

    public Instant JoinedAt { get; } = joinedAt;

    /// <summary>The newest seq at joining: one starts with nothing unread.</summary>
    public long JoinedSeq { get; } = joinedSeq;

    /// <summary>When this one last sent here; null before the first time.</summary>
    public Instant? LastSentAt { get; init; }

    public bool Administers => Role is not ParticipantRole.Member;

    /// <summary>Refuses a plain member what only owner and admins may do.</summary>
    public void EnsureAdministers()
    {
        if (!Administers)
            throw ParticipantErrors.NotAllowed();
    }
}
