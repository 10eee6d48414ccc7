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

    /// <summary>How many messages are unread, where that was asked for.</summary>
    public long Unread { get; init; }

    public long LastReadSeq { get; init; }

    public long LastDeliveredSeq { get; init; }

    /// <summary>Whether a direct conversation waits for this one to accept the first message.</summary>
    public bool IsPending { get; init; }

    /// <summary>Whether this one has opened a direct conversation; else it was opened for this one.</summary>
    public bool HasOpened { get; init; }

    /// <summary>What the other one of two is shown instead of the pointers; null where those are shown.</summary>
    public ShownPointers? Shown { get; init; }

    public OwnState Own { get; init; } = OwnState.Unchanged;
}

/// <summary>
/// A user's membership of a conversation: role, since when, until when, and what sending depends on. How far the user has read is in
/// <see cref="Pointers"/>.
/// </summary>
public sealed class Participant(ConversationId conversationId, UserId userId, ParticipantState state)
{
    /// <summary>Somebody who takes part from now on, with nothing unread.</summary>
    public Participant(ConversationId conversationId, UserId userId, ParticipantRole role, Instant joinedAt, long joinedSeq)
        : this(conversationId, userId, new(role, joinedAt, joinedSeq) { LastReadSeq = joinedSeq, LastDeliveredSeq = joinedSeq })
    {
    }

    public ConversationId ConversationId { get; } = conversationId;

    public UserId UserId { get; } = userId;

    public ParticipantRole Role { get; private set; } = state.Role;

    public Instant JoinedAt { get; } = state.JoinedAt;

    /// <summary>The newest seq at joining: one starts with nothing unread.</summary>
    public long JoinedSeq { get; } = state.JoinedSeq;

    /// <summary>When this one last sent or edited here; null before the first time.</summary>
    public Instant? LastSentAt { get; private set; } = state.LastSentAt;

    /// <summary>When this participant left; null while they take part.</summary>
    public Instant? LeftAt { get; private set; }

    /// <summary>How long a user who left cannot be added back; null for one who was removed.</summary>
    public Lockout? Lockout { get; private set; }

    /// <summary>How many messages are unread for this one, where that was asked for: only who sends reads them.</summary>
    public long Unread { get; private set; } = state.Unread;

    public Pointers Pointers { get; } =
        new(state.LastReadSeq, state.LastDeliveredSeq, state.IsPending, state.Own.ShowsReads, state.Own.ClearedSeq);

    /// <summary>What this one has made of the conversation.</summary>
    public OwnState Own { get; private set; } = state.Own;

    public bool HasOpened { get; } = state.HasOpened;

    public bool IsPending => Pointers.IsPending;

    public ShownPointers? Shown { get; private set; } = state.Shown;

    public bool Administers => Role is not ParticipantRole.Member;

    /// <summary>Sent a message, which reads and receives all before it; true where something was unread until then.</summary>
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

    /// <summary>Whether a message is unread for this one, if it counts.</summary>
    public bool HasUnread(StoredMessage message) => !IsPending && UserId != message.SenderId && message.Seq > Pointers.LastReadSeq
        && new Visibility(Own.ClearedSeq).Reaches(message.Seq);

    /// <summary>Edited a message, which slow mode counts as one.</summary>
    public void Edited(Instant at) => LastSentAt = at;

    /// <summary>Makes something else of the conversation for oneself.</summary>
    public void Change(OwnState own)
    {
        Own = own;
        Pointers.Follow(own);
    }

    /// <summary>Refuses a plain member what only owner and admins may do.</summary>
    public void EnsureAdministers()
    {
        if (!Administers)
            throw ParticipantErrors.NotAllowed();
    }

    /// <summary>Takes a role, as the conversation has decided.</summary>
    internal void Become(ParticipantRole role) => Role = role;

    /// <summary>Leaves, as the conversation has decided, and loses the role.</summary>
    internal void Leave(bool byChoice, Instant now) =>
        (LeftAt, Lockout, Role) = (now, byChoice ? Participants.Lockout.Since(now) : null, ParticipantRole.Member);

    /// <summary>Keeps from the other one of two how the pointers move from now on.</summary>
    internal void Withhold() =>
        Shown ??= new ShownPointers(Pointers.ShowsReads ? Pointers.LastReadSeq : null, Pointers.LastDeliveredSeq);

    /// <summary>Shows the other one of two the pointers again as they are.</summary>
    internal UnseenMoves Reveal()
    {
        var (read, delivered) = (Pointers.LastReadSeq, Pointers.LastDeliveredSeq);
        var (readSeq, deliveredSeq) = Shown ?? new ShownPointers(read, delivered);
        Shown = null;
        return new UnseenMoves(
            UserId, Pointers.ShowsReads && read != readSeq ? read : null, read < readSeq, delivered != deliveredSeq ? delivered : null);
    }

    /// <summary>Has a direct conversation wait for this one to accept it, or no more.</summary>
    internal void Await(bool answer) => Pointers.IsPending = answer;
}
