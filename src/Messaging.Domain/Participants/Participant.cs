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
/// A user's membership of a conversation: role, since when, until when, and what sending depends on. How far the user has read is in
/// <see cref="Pointers"/>.
/// </summary>
public sealed class Participant(ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq)
{
    public ConversationId ConversationId { get; } = conversationId;

    public UserId UserId { get; } = userId;

    public ParticipantRole Role { get; private set; } = role;

    public Instant JoinedAt { get; } = joinedAt;

    /// <summary>The newest seq at joining: a participant starts with nothing unread.</summary>
    public long JoinedSeq { get; } = joinedSeq;

    /// <summary>When this participant last sent or edited here; null before the first time.</summary>
    public Instant? LastSentAt { get; private set; }

    /// <summary>When this participant left; null while they take part.</summary>
    public Instant? LeftAt { get; private set; }

    /// <summary>How long a user who left cannot be added back; null for one who was removed.</summary>
    public Lockout? Lockout { get; private set; }

    /// <summary>The number of unread messages, if that was loaded: only for senders.</summary>
    public long Unread { get; private set; }

    /// <summary>A membership with its sending and reading state.</summary>
    public static Participant Restore(
        ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq, Instant? lastSentAt,
        long unread = 0) =>
        new(conversationId, userId, role, joinedAt, joinedSeq) { LastSentAt = lastSentAt, Unread = unread };

    /// <summary>Records a sent message, which marks all before it as read; true if anything was unread.</summary>
    public bool Sent(Instant at)
    {
        var hadUnread = Unread > 0;
        (LastSentAt, Unread) = (at, 0);
        return hadUnread;
    }

    /// <summary>Counts a message from another participant as unread.</summary>
    public void Received() => Unread++;

    /// <summary>Marks a message as unread: at least one is unread from now on.</summary>
    public void MarkedUnread() => Unread = Math.Max(Unread, 1);

    /// <summary>Records an edit, which slow mode counts as a message.</summary>
    public void Edited(Instant at) => LastSentAt = at;

    /// <summary>Sets the role that the conversation has decided.</summary>
    internal void Become(ParticipantRole role) => Role = role;

    /// <summary>Leaves, as the conversation has decided, and loses the role.</summary>
    internal void Leave(bool byChoice, Instant now) =>
        (LeftAt, Lockout, Role) = (now, byChoice ? Participants.Lockout.Since(now) : null, ParticipantRole.Member);

    public bool Administers => Role is not ParticipantRole.Member;

    /// <summary>Refuses a plain member what only the owner and admins may do.</summary>
    public void EnsureAdministers()
    {
        if (!Administers)
            throw ParticipantErrors.NotAllowed();
    }
}
