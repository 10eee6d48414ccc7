using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Participants;

public enum ParticipantRole
{
    Owner,
    Admin,
    Member,
}

/// <summary>
/// A user's membership of a conversation: as what, since when, until when, and what sending rests on. How far that one has read is
/// <see cref="Pointers"/>.
/// </summary>
public sealed class Participant(ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq)
{
    public ConversationId ConversationId { get; } = conversationId;

    public UserId UserId { get; } = userId;

    public ParticipantRole Role { get; private set; } = role;

    public Instant JoinedAt { get; } = joinedAt;

    /// <summary>The newest seq at joining: one starts with nothing unread.</summary>
    public long JoinedSeq { get; } = joinedSeq;

    /// <summary>When this one last sent or edited here; null before the first time.</summary>
    public Instant? LastSentAt { get; private set; }

    /// <summary>When this one has gone; null for who takes part.</summary>
    public Instant? LeftAt { get; private set; }

    /// <summary>For how long who has gone is left alone; null for who was put out.</summary>
    public Lockout? Lockout { get; private set; }

    /// <summary>How many messages are unread for this one, where that was asked for: only who sends reads them.</summary>
    public long Unread { get; private set; }

    /// <summary>A membership with its traces of sending and reading.</summary>
    public static Participant Restore(
        ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq, Instant? lastSentAt,
        long unread = 0) =>
        new(conversationId, userId, role, joinedAt, joinedSeq) { LastSentAt = lastSentAt, Unread = unread };

    /// <summary>Sent a message, which reads all before it; true where something was unread until then.</summary>
    public bool Sent(Instant at)
    {
        var hadUnread = Unread > 0;
        (LastSentAt, Unread) = (at, 0);
        return hadUnread;
    }

    /// <summary>A message of somebody else has come.</summary>
    public void Received() => Unread++;

    /// <summary>Has marked a message as unread: one at least is so until this one reads on.</summary>
    public void MarkedUnread() => Unread = Math.Max(Unread, 1);

    /// <summary>Edited a message, which slow mode counts as one.</summary>
    public void Edited(Instant at) => LastSentAt = at;

    /// <summary>Takes a role, as the conversation has decided.</summary>
    internal void Become(ParticipantRole role) => Role = role;

    /// <summary>Goes, as the conversation has decided, and leaves the role behind.</summary>
    internal void Leave(bool byChoice, Instant now) =>
        (LeftAt, Lockout, Role) = (now, byChoice ? Participants.Lockout.Since(now) : null, ParticipantRole.Member);

    public bool Administers => Role is not ParticipantRole.Member;

    /// <summary>Refuses a plain member what only owner and admins may do.</summary>
    public void EnsureAdministers()
    {
        if (!Administers)
            throw ParticipantErrors.NotAllowed();
    }
}
