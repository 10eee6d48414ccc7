using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Conversations;

public enum ConversationType
{
    Direct,
    Group,
}

/// <summary>The host product's object that a conversation is about.</summary>
/// <param name="Type">1 to 64 of <c>[A-Za-z0-9_.-]</c>, such as <c>posting</c>.</param>
/// <param name="Id">The host's own id for it, 1 to 128 characters.</param>
public sealed record ConversationContext(string Type, string Id);

/// <summary>A conversation's details and policy. A direct conversation has only metadata.</summary>
/// <param name="Metadata">A JSON object as text.</param>
/// <param name="Policy">Its own policy, a JSON object as text; null if it has none.</param>
public sealed record Profile(string? Name, string? Description, string? AvatarUrl, string? Slug, string? Metadata, string? Policy)
{
    /// <summary>The same with a slug, which every group has: derived from the name if none was given.</summary>
    public Profile WithSlug(ConversationId id) => Slug is null ? this with { Slug = Conversation.SlugOf(Name!, id) } : this;
}

/// <summary>Why a conversation was closed.</summary>
public enum CloseReason
{
    /// <summary>What it was about has been completed.</summary>
    Completed,

    Manual,

    Blocked,

    /// <summary>Nothing was sent for the configured time.</summary>
    Inactive,

    /// <summary>Nobody is left in it.</summary>
    Empty,
}

/// <summary>The state of the first contact between two strangers, if it has to be accepted.</summary>
public enum RequestState
{
    /// <summary>Nothing has been sent yet: the first message will be the request.</summary>
    Unsent,

    /// <summary>The first message waits for its receiver to accept it.</summary>
    Pending,
}

/// <summary>A conversation's state as stored in the database.</summary>
/// <param name="Version">Rises with every change but messages and pointers.</param>
/// <param name="EventNo">The number of its newest event.</param>
/// <param name="LastEventAt">The time of that event; later events have later times.</param>
/// <param name="LastActivityDay">The day (UTC) of its newest message; null before the first.</param>
/// <param name="Blocked">For a direct conversation: whether one user has blocked the other.</param>
/// <param name="Request">Null once the two may talk.</param>
public sealed record ConversationState(
    ConversationType Type,
    UserId? OwnerId,
    int ParticipantCount,
    long LastSeq,
    long Version,
    bool Closed,
    bool Archived,
    bool Blocked,
    RequestState? Request,
    ConversationPolicy Policy,
    long EventNo,
    Instant LastEventAt,
    LocalDate? LastActivityDay)
{
    /// <summary>When its newest message was sent, if that is needed.</summary>
    public Instant LastActivityAt { get; init; }
}

/// <summary>How a conversation was closed.</summary>
/// <param name="By">Null for the service, and for a group that became empty.</param>
public sealed record Closure(Instant At, UserId? By, CloseReason Reason, string? Note);

/// <summary>What a message was assigned when it was accepted.</summary>
/// <param name="EventNo">The number of its event.</param>
/// <param name="FirstOfDay">Whether it is the conversation's first on its day (UTC).</param>
public readonly record struct MessagePosition(long Seq, long EventNo, Instant At, bool FirstOfDay);

/// <summary>The new preview of a conversation's newest message.</summary>
/// <param name="Text">The first characters of its text.</param>
/// <param name="DeletedSeq">Its seq, if it is deleted.</param>
public sealed record Preview(string? Text, long? DeletedSeq);

/// <summary>The position of an event among those of its conversation.</summary>
public readonly record struct EventPosition(long EventNo, Instant At);

/// <summary>
/// A conversation between two users (direct) or up to a limit of users (group). Guards who may be in it and whether it can be written to.
/// Every change locks its row first and decides on what is read after that. Its version rises with every change except messages and
/// pointers: a client uses it to say which state a request is based on.
/// </summary>
public sealed class Conversation
{
    private Conversation(ConversationId id, ConversationType type, int participantCount)
    {
        Id = id;
        Type = type;
        ParticipantCount = participantCount;
    }

    public ConversationId Id { get; }

    public ConversationType Type { get; }

    public UserId? OwnerId { get; private set; }

    public UserId? CreatedBy { get; private init; }

    public ConversationContext? Context { get; private init; }

    public Profile? Profile { get; private init; }

    /// <summary>The founding participants, while it is being created.</summary>
    public IReadOnlyList<Participant> Founders { get; private init; } = [];

    public int ParticipantCount { get; private set; }

    public long LastSeq { get; private set; }

    public long EventNo { get; private set; }

    public Instant LastEventAt { get; private set; }

    public LocalDate? LastActivityDay { get; private set; }

    public Instant LastActivityAt { get; private set; }

    public long Version { get; private set; } = 1;

    public Instant CreatedAt { get; private init; }

    public bool IsClosed { get; private set; }

    /// <summary>How it was closed, if that happened after it was loaded.</summary>
    public Closure? Closing { get; private set; }

    public bool IsArchived { get; private set; }

    public bool IsBlocked { get; private set; }

    public RequestState? Request { get; private set; }

    /// <summary>
    /// Whether participants see each other's receipts: not if the policy turns them off, nor between two users separated by a block or a
    /// pending request.
    /// </summary>
    public bool TellsReceipts => Policy is { Receipts: true } && !IsKeptApart;

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

    /// <summary>The policy in force; null while the conversation is being created.</summary>
    public ConversationPolicy? Policy { get; private init; }

    /// <summary>The unique key of a pair and context, whoever opens it. Only the last part can contain a space.</summary>
    public static string DirectKey(UserId one, UserId other, ConversationContext? context)
    {
        var (first, second) = one < other ? (one, other) : (other, one);
        return context is null ? $"{first} {second}" : $"{first} {second} {context.Type} {context.Id}";
    }

    /// <summary>A conversation of two users; refuses one with oneself.</summary>
    /// <param name="request">Set if the other user has to accept the first message.</param>
    public static Conversation OpenDirect(UserId opener, UserId other, ConversationContext? context, RequestState? request, Instant now)
    {
        if (opener == other)
            throw ConversationErrors.WithOneself();
        var id = ConversationId.New(now);
        return new Conversation(id, ConversationType.Direct, participantCount: 2)
        {
            CreatedBy = opener,
            Founders = [Founder(id, opener, ParticipantRole.Member, now), Founder(id, other, ParticipantRole.Member, now)],
            Context = context,
            Request = request,
            CreatedAt = now,
        };
    }

    /// <summary>A group; its creator is the owner and counts as a participant. The service creates one without being in it.</summary>
    /// <param name="others">The other members, distinct and without the creator.</param>
    /// <param name="limit">The maximum number of participants.</param>
    public static Conversation CreateGroup(
        Actor creator, IReadOnlyCollection<UserId> others, Profile profile, ConversationContext? context, int limit, Instant now)
    {
        var count = others.Count + (creator.IsService ? 0 : 1);
        if (count < 2)
            throw ConversationErrors.TooFew();
        if (count > limit)
            throw ConversationErrors.GroupFull(limit);
        var id = ConversationId.New(now);
        return new Conversation(id, ConversationType.Group, count)
        {
            OwnerId = creator.UserId,
            CreatedBy = creator.UserId,
            Founders =
            [
                .. others.Select(user => Founder(id, user, ParticipantRole.Member, now)),
                .. creator.UserId is { } owner ? [Founder(id, owner, ParticipantRole.Owner, now)] : Array.Empty<Participant>(),
            ],
            Context = context,
            Profile = profile.WithSlug(id),
            CreatedAt = now,
            LastActivityDay = now.InUtc().Date,
        };
    }

    /// <summary>
    /// The day under which it appears in a founder's inbox; null for a founder who learns of it only by its first message.
    /// </summary>
    public LocalDate? FirstDayOf(Participant founder) =>
        LastActivityDay ?? (founder.UserId == CreatedBy ? CreatedAt.InUtc().Date : null);

    /// <summary>A conversation as stored in the database.</summary>
    public static Conversation Restore(ConversationId id, ConversationState state) =>
        new(id, state.Type, state.ParticipantCount)
        {
            OwnerId = state.OwnerId,
            LastSeq = state.LastSeq,
            Version = state.Version,
            IsClosed = state.Closed,
            IsArchived = state.Archived,
            IsBlocked = state.Blocked,
            Request = state.Request,
            Policy = state.Policy,
            EventNo = state.EventNo,
            LastEventAt = state.LastEventAt,
            LastActivityDay = state.LastActivityDay,
            LastActivityAt = state.LastActivityAt,
        };

    /// <summary>Refuses any write to a closed or archived conversation.</summary>
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
        if (sender is null || Type is ConversationType.Direct || sender.Administers || Policy!.SlowModeSeconds == 0)
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
        if (WhyParted(sender, asks: true) is { } parted)
            return parted;
        return sender is { Administers: false } && Type is ConversationType.Group && Policy!.Posting is AllowedTo.Admins
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
        if (WhyParted(by, asks: false) is { } refusal)
            throw refusal;
    }

    // The first message is the request; everything else waits until it is accepted.
    private RuleException? WhyParted(Participant? by, bool asks) =>
        by is null ? null
        : IsBlocked ? ConversationErrors.Blocked()
        : Request is RequestState.Pending || (Request is RequestState.Unsent && !asks) ? ConversationErrors.RequestPending()
        : null;

    /// <summary>Refuses a mention of everyone by a sender who may not use it.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayMentionAll(Participant? by)
    {
        if (Type is ConversationType.Group && Policy!.MentionAll is AllowedTo.Admins)
            by?.EnsureAdministers();
    }

    /// <summary>Refuses pinning by a participant who may not pin; in a direct conversation both may.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayPin(Participant? by)
    {
        EnsureOpenTo(by);
        if (Type is ConversationType.Group && Policy!.Pinning is AllowedTo.Admins)
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

    /// <summary>The seq up to which messages are hidden from those who join now.</summary>
    public long HidesUpTo => Policy!.History is HistoryAccess.SinceJoin ? LastSeq : 0;

    /// <summary>Refuses an actor who may not add this many users.</summary>
    public void EnsureMayAdd(Participant? by, ParticipantRole role, int count, int limit)
    {
        EnsureGroup();
        EnsureWritable();
        if (Policy!.Adding is AllowedTo.Admins || role is not ParticipantRole.Member)
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
            owner?.Become(ParticipantRole.Admin);
            OwnerId = target.UserId;
        }
        else
        {
            by?.EnsureAdministers();
            if (target.Role is ParticipantRole.Owner)
                throw by is null || by.UserId == target.UserId ? ParticipantErrors.LastOwner() : ParticipantErrors.NotAllowed();
        }
        target.Become(role);
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
    public bool Block(IReadOnlyCollection<Partner> both)
    {
        if (IsBlocked)
            return false;
        IsBlocked = true;
        Version++;
        foreach (var one in both)
            one.Withhold();
        return true;
    }

    /// <summary>
    /// Ends the separation once neither blocks the other. Unless a request is still pending, they see each other's current pointers again.
    /// </summary>
    /// <returns>The pointer moves to announce to each other user, if receipts are shown here.</returns>
    public IReadOnlyList<UnseenMoves> Unblock(IReadOnlyCollection<Partner> both)
    {
        if (!IsBlocked)
            return [];
        IsBlocked = false;
        Version++;
        return Reveal(both) is { } moves && TellsReceipts ? moves : [];
    }

    /// <summary>Makes the first message wait until its receiver accepts it.</summary>
    public void BeginRequest(Partner receiver, IReadOnlyCollection<Partner> both)
    {
        Request = RequestState.Pending;
        Version++;
        receiver.Await(answer: true);
        foreach (var one in both)
            one.Withhold();
    }

    /// <summary>Opens the conversation for both, if one of them had to accept it.</summary>
    /// <returns>Users to whom the conversation is new: the receiver of the request or, if nothing has been sent, the user it was opened
    /// for.</returns>
    public IReadOnlyList<UserId> Open(IReadOnlyCollection<Partner> both)
    {
        if (Request is null)
            return [];
        Request = null;
        Version++;
        var unaware = both.Where(one => one.IsPending || (LastSeq == 0 && !one.HasOpened)).Select(one => one.UserId).ToList();
        foreach (var one in both)
            one.Await(answer: false);
        Reveal(both);
        return unaware;
    }

    // Null while the two are still separated.
    private List<UnseenMoves>? Reveal(IEnumerable<Partner> both) => IsKeptApart ? null : [.. both.Select(one => one.Reveal())];

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
        var owner = InLine(candidates).FirstOrDefault();
        owner?.Become(ParticipantRole.Owner);
        OwnerId = owner?.UserId;
        return owner;
    }

    /// <summary>Of whom the first becomes owner where there is none: admins before members, then who is in for longest.</summary>
    public static IEnumerable<Participant> InLine(IEnumerable<Participant> candidates) => candidates
        .OrderBy(one => !one.Administers).ThenBy(one => one.JoinedAt).ThenBy(one => one.UserId);

    private static Participant Founder(ConversationId id, UserId user, ParticipantRole role, Instant now) =>
        new(id, user, role, now, joinedSeq: 0);

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

    /// <summary>Refuses what only a group knows.</summary>
    public void EnsureGroup()
    {
        if (Type is ConversationType.Direct)
            throw ConversationErrors.DirectIsFixed();
    }

    /// <summary>A slug for a group that has none; unique without asking, since the end of the id is random.</summary>
    public static string SlugOf(string name, ConversationId id)
    {
        var words = new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        var stem = string.Join('-', words.Split('-', StringSplitOptions.RemoveEmptyEntries));
        stem = stem[..Math.Min(stem.Length, 80)].Trim('-');
        var suffix = id.Value.ToString("N")[^12..];
        return stem.Length == 0 ? suffix : $"{stem}-{suffix}";
    }
}
