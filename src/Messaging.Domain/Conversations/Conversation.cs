using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Conversations;

/// <summary>
/// A conversation between two users (direct) or up to a limit of users (group). Guards who may be in it and whether it can be written to.
/// Every change locks its row first and decides on what is read after that. Its version rises with every change except messages and
/// pointers: a client uses it to say which state a request is based on.
/// </summary>
public sealed class Conversation(ConversationId id, ConversationState state)
{
    public ConversationId Id { get; } = id;

    public ConversationType Type { get; } = state.Type;

    public UserId? OwnerId { get; private set; } = state.OwnerId;

    public int ParticipantCount { get; private set; } = state.ParticipantCount;

    public long LastSeq { get; private set; } = state.LastSeq;

    public long EventNo { get; private set; } = state.EventNo;

    public Instant LastEventAt { get; private set; } = state.LastEventAt;

    public LocalDate? LastActivityDay { get; private set; } = state.LastActivityDay;

    public Instant LastActivityAt { get; private set; } = state.LastActivityAt;

    public long Version { get; private set; } = state.Version;

    public bool IsClosed { get; private set; } = state.Closed;

    /// <summary>How it was closed, if that happened after it was loaded.</summary>
    public Closure? Closing { get; private set; }

    public bool IsArchived { get; private set; } = state.Archived;

    public bool IsBlocked { get; private set; } = state.Blocked;

    public RequestState? Request { get; private set; } = state.Request;

    /// <summary>The rules in force.</summary>
    public ConversationPolicy Policy { get; } = state.Policy;

    /// <summary>
    /// Whether participants see each other's receipts: not if the policy excludes it, nor between two users who are separated by a block or
    /// a pending request.
    /// </summary>
    public bool TellsReceipts => Policy.Receipts && !IsKeptApart;

    /// <summary>
    /// Who else receives a participant's receipts: everyone, which is null, or in a large group only the author.
    /// </summary>
    /// <param name="author">The author of the newest of those messages; null for the service.</param>
    public IReadOnlyList<UserId?> HearersOf(UserId reader, UserId? author) =>
        !TellsReceipts ? [] : !IsLarge ? [null] : author is { } waiting && waiting != reader ? [waiting] : [];

    /// <summary>Whether its two users are separated: no text and no notification passes between them.</summary>
    public bool IsKeptApart => IsBlocked || Request is RequestState.Pending;

    /// <summary>The preview of its newest message, if it has changed since it was loaded.</summary>
    public Preview? Preview { get; private set; }

    /// <summary>Whether it has too many participants for everyone to receive everyone's receipts.</summary>
    public bool IsLarge => ParticipantCount > 30;

    /// <summary>Refuses anything new in a conversation that is closed or archived.</summary>
    public void EnsureWritable()
    {
        if (IsArchived)
            throw ConversationErrors.Archived();
        if (IsClosed)
            throw ConversationErrors.Closed();
    }

    /// <summary>Refuses additions to it or to its messages that this participant may not make.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureOpenTo(Participant? by)
    {
        EnsureWritable();
        EnsureReaches(by);
    }

    /// <summary>Refuses a message that the sender may not send now.</summary>
    /// <param name="sender">Null for the service.</param>
    public void EnsureAcceptsMessage(Participant? sender, Instant now)
    {
        EnsureMayPost(sender);
        EnsurePace(sender, now);
    }

    /// <summary>
    /// Assigns the next message its position: next in order, and later than everything before it in this conversation, whatever the clock
    /// says.
    /// </summary>
    public MessagePosition DrawPosition(Instant now)
    {
        var startsDay = StartsDay(now);
        var (eventNo, at) = DrawEventPosition(now);
        (LastActivityAt, LastActivityDay, Preview) = (at, at.InUtc().Date, null);
        return new MessagePosition(++LastSeq, eventNo, at, startsDay);
    }

    /// <summary>Whether a message sent now is the first of its day (UTC).</summary>
    public bool StartsDay(Instant now) => Next(now).InUtc().Date != LastActivityDay;

    /// <summary>Changes the preview of a message, if it is the newest.</summary>
    public void Show(long seq, Preview preview)
    {
        if (seq == LastSeq)
            Preview = preview;
    }

    /// <summary>Assigns an event its position among those of the conversation.</summary>
    public EventPosition DrawEventPosition(Instant now)
    {
        LastEventAt = Next(now);
        return new EventPosition(++EventNo, LastEventAt);
    }

    /// <summary>The time of the next event here: later than all before it, whatever the clock says.</summary>
    public Instant Next(Instant now) => now > LastEventAt ? now : LastEventAt + Duration.FromNanoseconds(1_000);

    /// <summary>Refuses a sender who may not post here, apart from slow mode.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayPost(Participant? by)
    {
        if (WhyNotPost(by) is { } refusal)
            throw refusal;
    }

    /// <summary>In slow mode, refuses a message or an edit too soon after the previous one.</summary>
    /// <param name="sender">Null for the service.</param>
    public void EnsurePace(Participant? sender, Instant now)
    {
        if (sender is null || Type is ConversationType.Direct || sender.Administers || Policy.SlowModeSeconds == 0)
            return;
        if (sender.LastSentAt + Duration.FromSeconds(Policy.SlowModeSeconds) is { } next && next > now)
            throw ConversationErrors.TooSoon(next - now);
    }

    // The refusal regardless of slow mode; null if the sender may post.
    private RuleException? WhyNotPost(Participant? sender)
    {
        if (IsArchived)
            return ConversationErrors.Archived();
        if (IsClosed)
            return ConversationErrors.Closed();
        if (WhySeparated(sender, asks: true) is { } separated)
            return separated;
        return sender is { Administers: false } && Type is ConversationType.Group && Policy.Posting is AllowedTo.Admins
            ? ParticipantErrors.NotAllowed()
            : null;
    }

    /// <summary>
    /// Whether typing is shown here: not between two users of whom one has blocked the other or has yet to accept.
    /// </summary>
    public bool TellsTyping => !IsBlocked && Request is null;

    /// <summary>Whether a participant's typing is shown: not if they may not post.</summary>
    public bool ShowsTyping(Participant by) => TellsTyping && WhyNotPost(by) is null;

    /// <summary>
    /// In a direct conversation, refuses whatever would reach the other user while one has blocked the other, or until the first message
    /// has been accepted.
    /// </summary>
    /// <param name="by">Null for the service.</param>
    private void EnsureReaches(Participant? by)
    {
        if (WhySeparated(by, asks: false) is { } refusal)
            throw refusal;
    }

    // The first message is the request; everything else waits until it is accepted.
    private RuleException? WhySeparated(Participant? by, bool asks) =>
        by is null ? null
        : IsBlocked ? ConversationErrors.Blocked()
        : Request is RequestState.Pending || (Request is RequestState.Unsent && !asks) ? ConversationErrors.RequestPending()
        : null;

    /// <summary>Refuses a mention of everyone by a sender who may not use it.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayMentionAll(Participant? by)
    {
        if (Type is ConversationType.Group && Policy.MentionAll is AllowedTo.Admins)
            by?.EnsureAdministers();
    }

    /// <summary>Refuses pinning by a participant who may not pin; in a direct conversation both may.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayPin(Participant? by)
    {
        EnsureOpenTo(by);
        if (Type is ConversationType.Group && Policy.Pinning is AllowedTo.Admins)
            by?.EnsureAdministers();
    }

    /// <summary>Adds participants: all of them or none. In an empty group the first in line becomes the owner.</summary>
    /// <param name="by">Who adds them; null for the service.</param>
    /// <param name="role">Their role; only the owner and admins may add admins.</param>
    /// <param name="coming">The new participants, without those who are already in the group.</param>
    /// <returns>The new owner, if the group was empty.</returns>
    public Participant? Add(Participant? by, ParticipantRole role, IReadOnlyCollection<Participant> coming, int limit)
    {
        EnsureMayAdd(by, role, coming.Count, limit);
        var owner = ParticipantCount == 0 ? BecomeOwnedBy(coming) : null;
        ParticipantCount += coming.Count;
        Version++;
        return owner;
    }

    /// <summary>A new participant, with nothing unread.</summary>
    public Participant NewParticipant(UserId user, ParticipantRole role, Instant now) => new(Id, user, role, now, LastSeq);

    /// <summary>The seq up to which messages are hidden from a user who joins now.</summary>
    public long HidesUpTo => Policy.History is HistoryAccess.SinceJoin ? LastSeq : 0;

    /// <summary>Refuses an actor who may not add this many users.</summary>
    public void EnsureMayAdd(Participant? by, ParticipantRole role, int count, int limit)
    {
        EnsureGroup();
        EnsureWritable();
        if (Policy.Adding is AllowedTo.Admins || role is not ParticipantRole.Member)
            by?.EnsureAdministers();
        if (ParticipantCount + count > limit)
            throw ConversationErrors.GroupFull(limit);
    }

    /// <summary>
    /// Removes a participant; removing oneself is leaving. An owner is succeeded by the first admin, or else the longest-standing member.
    /// </summary>
    /// <param name="by">Who does it; null for the service.</param>
    /// <param name="others">The possible successors.</param>
    /// <returns>The successor; null if none is needed, or nobody is left.</returns>
    public Participant? Remove(Participant? by, Participant target, IEnumerable<Participant> others, Instant now)
    {
        EnsureGroup();
        EnsureMayRemove(by, target);
        target.Leave(byChoice: by?.UserId == target.UserId, now);
        return Follow(target, others);
    }

    /// <summary>Refuses an actor who may not ban this user, whether a participant or not.</summary>
    /// <param name="target">Null for a user who is not a participant.</param>
    public void EnsureMayBan(Participant? by, UserId banned, Participant? target)
    {
        EnsureGroup();
        by?.EnsureAdministers();
        if (by?.UserId == banned)
            throw ParticipantErrors.BanOfOneself();
        if (target is not null)
            EnsureMayRemove(by, target);
    }

    /// <summary>Refuses an actor who may not lift a ban.</summary>
    public void EnsureMayUnban(Participant? by)
    {
        EnsureGroup();
        by?.EnsureAdministers();
    }

    /// <summary>Closes an empty group; false if it has participants or is already closed.</summary>
    public bool EndIfEmpty(Instant now)
    {
        if (ParticipantCount > 0 || IsClosed)
            return false;
        End(new Closure(now, By: null, CloseReason.Empty, Note: null));
        return true;
    }

    /// <summary>
    /// Changes a participant's role; false if it is already that. The owner or the service can transfer ownership; the previous owner
    /// becomes an admin.
    /// </summary>
    /// <param name="owner">The current owner; null if there is none.</param>
    public bool ChangeRole(Participant? by, Participant target, ParticipantRole role, Participant? owner)
    {
        EnsureGroup();
        if (target.Role == role)
            return false;
        EnsureNotArchived();
        if (role is ParticipantRole.Owner)
        {
            if (by is not null && by.Role is not ParticipantRole.Owner)
                throw ParticipantErrors.OwnerOnly();
            owner?.SetRole(ParticipantRole.Admin);
            OwnerId = target.UserId;
        }
        else
        {
            by?.EnsureAdministers();
            if (target.Role is ParticipantRole.Owner)
                throw by is null || by.UserId == target.UserId ? ParticipantErrors.LastOwner() : ParticipantErrors.NotAllowed();
        }
        target.SetRole(role);
        Version++;
        return true;
    }

    /// <summary>Refuses an actor who may not change the details and policy: in a group, the owner and admins may.</summary>
    public void EnsureMayChange(Participant? by, bool isOfGroup)
    {
        if (isOfGroup)
            EnsureGroup();
        EnsureNotArchived();
        if (Type is ConversationType.Direct && by is not null)
            throw ConversationErrors.ServiceOnly();
        by?.EnsureAdministers();
    }

    /// <summary>Records a change to its details or policy.</summary>
    public void Change() => Version++;

    /// <summary>Refuses an actor who may not close it. Both users of a direct conversation may.</summary>
    public void EnsureClosable(Participant? by)
    {
        EnsureWritable();
        EnsureReaches(by);
        EnsureMayClose(by);
    }

    /// <summary>Closes it: it can be read, but nothing can be sent.</summary>
    public void Close(Participant? by, Closure closing)
    {
        EnsureClosable(by);
        End(closing);
    }

    /// <summary>Reopens it; false if it was open.</summary>
    public bool Reopen(Participant? by)
    {
        EnsureNotArchived();
        EnsureReaches(by);
        EnsureMayClose(by);
        if (!IsClosed)
            return false;
        (IsClosed, Closing) = (false, null);
        Version++;
        return true;
    }

    /// <summary>Archives it for everyone, or unarchives it; false if nothing changes.</summary>
    public bool Archive(Participant? by, bool archived)
    {
        EnsureOwnedBy(by);
        if (IsArchived == archived)
            return false;
        IsArchived = archived;
        Version++;
        return true;
    }

    /// <summary>Refuses an actor who may not take actions reserved for the owner.</summary>
    public void EnsureOwnedBy(Participant? by)
    {
        if (by is not null && (Type is ConversationType.Direct || by.Role is not ParticipantRole.Owner))
            throw Type is ConversationType.Direct ? ConversationErrors.ServiceOnly() : ParticipantErrors.OwnerOnly();
    }

    /// <summary>
    /// Separates the two users after a block: each keeps seeing the other's pointers as they are now. False if it is already blocked.
    /// </summary>
    public bool Block(IReadOnlyCollection<Participant> both)
    {
        if (IsBlocked)
            return false;
        IsBlocked = true;
        Version++;
        foreach (var one in both)
            one.WithholdPointers();
        return true;
    }

    /// <summary>
    /// Ends the separation once neither blocks the other. Unless a request is still pending, they see each other's current pointers again.
    /// </summary>
    /// <returns>The moves of each that the other user has not seen; none if receipts are off here.</returns>
    public IReadOnlyList<UnseenMoves> Unblock(IReadOnlyCollection<Participant> both)
    {
        if (!IsBlocked)
            return [];
        IsBlocked = false;
        Version++;
        return Reveal(both) is { } moves && TellsReceipts ? moves : [];
    }

    /// <summary>Makes the first message a message request, which its recipient has to accept.</summary>
    public void BeginRequest(Participant recipient, IReadOnlyCollection<Participant> both)
    {
        Request = RequestState.Pending;
        Version++;
        recipient.SetPending(true);
        foreach (var one in both)
            one.WithholdPointers();
    }

    /// <summary>Ends the need for a message request, whether it was sent or not: both users may write.</summary>
    /// <returns>Who does not know of the conversation yet: the recipient of a request, or with whom an empty one was opened.</returns>
    public IReadOnlyList<UserId> Open(IReadOnlyCollection<Participant> both)
    {
        if (Request is null)
            return [];
        Request = null;
        Version++;
        var unaware = both.Where(one => one.IsPending || (LastSeq == 0 && !one.HasOpened)).Select(one => one.UserId).ToList();
        foreach (var one in both)
            one.SetPending(false);
        Reveal(both);
        return unaware;
    }

    // Null if the two are still separated.
    private List<UnseenMoves>? Reveal(IEnumerable<Participant> both) => IsKeptApart ? null : [.. both.Select(one => one.RevealPointers())];

    private void End(Closure closing)
    {
        (IsClosed, Closing) = (true, closing);
        Version++;
    }

    private Participant? Follow(Participant who, IEnumerable<Participant> others)
    {
        ParticipantCount--;
        Version++;
        return OwnerId == who.UserId ? BecomeOwnedBy(others.Where(other => other.UserId != who.UserId)) : null;
    }

    private Participant? BecomeOwnedBy(IEnumerable<Participant> candidates)
    {
        var owner = BySuccession(candidates).FirstOrDefault();
        owner?.SetRole(ParticipantRole.Owner);
        OwnerId = owner?.UserId;
        return owner;
    }

    /// <summary>The order in which participants succeed an owner: admins first, then by how long they have been in.</summary>
    public static IEnumerable<Participant> BySuccession(IEnumerable<Participant> candidates) => candidates
        .OrderBy(one => !one.Administers).ThenBy(one => one.JoinedAt).ThenBy(one => one.UserId);

    private void EnsureMayClose(Participant? by)
    {
        if (Type is ConversationType.Group)
            by?.EnsureAdministers();
    }

    private static void EnsureMayRemove(Participant? by, Participant target)
    {
        if (by is null || by.UserId == target.UserId)
            return;
        by.EnsureAdministers();
        if (target.Role is ParticipantRole.Owner)
            throw ParticipantErrors.NotAllowed();
    }

    private void EnsureNotArchived()
    {
        if (IsArchived)
            throw ConversationErrors.Archived();
    }

    /// <summary>Refuses an action that only groups have.</summary>
    public void EnsureGroup()
    {
        if (Type is ConversationType.Direct)
            throw ConversationErrors.DirectIsFixed();
    }
}
