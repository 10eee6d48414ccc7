using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Domain.Participants;

public enum ParticipantRole
{
    Owner,
    Admin,
    Member,
}

/// <summary>A membership as it is stored.</summary>
public sealed record ParticipantState(ParticipantRole Role, Instant JoinedAt, long JoinedSeq)
{
    public Instant? LastSentAt { get; init; }

    /// <summary>How many messages are unread, if that was loaded.</summary>
    public long Unread { get; init; }

    public long LastReadSeq { get; init; }

    public long LastDeliveredSeq { get; init; }

    /// <summary>Whether this user has yet to accept the first message of a direct conversation.</summary>
    public bool IsPending { get; init; }

    /// <summary>Whether this user opened the direct conversation, rather than the other user.</summary>
    public bool HasOpened { get; init; }

    /// <summary>What the other user of a direct conversation sees instead of the pointers; null if they see the pointers.</summary>
    public ShownPointers? Shown { get; init; }

    public OwnState Own { get; init; } = OwnState.Unchanged;
}

/// <summary>
/// A user's membership of a conversation: role, since when, until when, and what sending depends on. How far the user has read is in
/// <see cref="Pointers"/>.
/// </summary>
public sealed class Participant(ConversationId conversationId, UserId userId, ParticipantState state)
{
    /// <summary>A new participant, with nothing unread.</summary>
    public Participant(ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq)
        : this(conversationId, userId, new(role, joinedAt, joinedSeq) { LastReadSeq = joinedSeq, LastDeliveredSeq = joinedSeq })
    {
    }

    public ConversationId ConversationId { get; } = conversationId;

    public UserId UserId { get; } = userId;

    public ParticipantRole Role { get; private set; } = state.Role;

    public Instant JoinedAt { get; } = state.JoinedAt;

    /// <summary>The newest seq at joining: a new participant starts with nothing unread.</summary>
    public long JoinedSeq { get; } = state.JoinedSeq;

    /// <summary>When this user last sent or edited a message here; null before the first time.</summary>
    public Instant? LastSentAt { get; private set; } = state.LastSentAt;

    /// <summary>When this participant left; null while they take part.</summary>
    public Instant? LeftAt { get; private set; }

    /// <summary>How long a user who left cannot be added back; null for one who was removed.</summary>
    public Lockout? Lockout { get; private set; }

    /// <summary>How many messages are unread; loaded for senders only.</summary>
    public long Unread { get; private set; } = state.Unread;

    public Pointers Pointers { get; } =
        new(state.LastReadSeq, state.LastDeliveredSeq, state.IsPending, state.Own.ShowsReads, state.Own.ClearedSeq);

    /// <summary>The user's own settings and state.</summary>
    public OwnState Own { get; private set; } = state.Own;

    public bool HasOpened { get; } = state.HasOpened;

    public bool IsPending => Pointers.IsPending;

    public ShownPointers? Shown { get; private set; } = state.Shown;

    public bool Administers => Role is not ParticipantRole.Member;

    /// <summary>Records a sent message, which marks all before it as read and delivered; true if something was unread until then.</summary>
    public bool Sent(MessagePosition position)
    {
        var hadUnread = Unread > 0;
        (LastSentAt, Unread) = (position.At, 0);
        Pointers.Sent(position.Seq);
        return hadUnread;
    }

    /// <summary>Counts a message from another participant as unread.</summary>
    public void Received() => Unread++;

    /// <summary>Marks a message as unread: at least one is unread from now on.</summary>
    public void MarkedUnread() => Unread = Math.Max(Unread, 1);

    /// <summary>Whether a message is unread for this user, provided that it counts at all.</summary>
    public bool HasUnread(StoredMessage message) => !IsPending && UserId != message.SenderId && message.Seq > Pointers.LastReadSeq
        && new Visibility(Own.ClearedSeq).Reaches(message.Seq);

    /// <summary>Records an edit, which slow mode counts like a message.</summary>
    public void Edited(Instant at) => LastSentAt = at;

    /// <summary>Changes the user's own settings or state.</summary>
    public void Change(OwnState own)
    {
        Own = own;
        Pointers.Follow(own);
    }

    /// <summary>Refuses a plain member an action that only the owner and admins may take.</summary>
    public void EnsureAdministers()
    {
        if (!Administers)
            throw ParticipantErrors.NotAllowed();
    }

    /// <summary>Sets the role, as the conversation has decided.</summary>
    internal void SetRole(ParticipantRole role) => Role = role;

    /// <summary>Leaves, as the conversation has decided, and loses the role.</summary>
    internal void Leave(bool byChoice, Instant now) =>
        (LeftAt, Lockout, Role) = (now, byChoice ? Participants.Lockout.Since(now) : null, ParticipantRole.Member);

    /// <summary>Hides further moves of the pointers from the other user of a direct conversation.</summary>
    internal void WithholdPointers() =>
        Shown ??= new ShownPointers(Pointers.ShowsReads ? Pointers.LastReadSeq : null, Pointers.LastDeliveredSeq);

    /// <summary>Shows the current pointers to the other user again.</summary>
    internal UnseenMoves RevealPointers()
    {
        var (read, delivered) = (Pointers.LastReadSeq, Pointers.LastDeliveredSeq);
        var (readSeq, deliveredSeq) = Shown ?? new ShownPointers(read, delivered);
        Shown = null;
        return new UnseenMoves(
            UserId, Pointers.ShowsReads && read != readSeq ? read : null, read < readSeq, delivered != deliveredSeq ? delivered : null);
    }

    /// <summary>Sets whether this user has yet to accept the conversation.</summary>
    internal void SetPending(bool isPending) => Pointers.IsPending = isPending;
}
