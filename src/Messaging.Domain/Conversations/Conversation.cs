using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Conversations;

public enum ConversationType
{
    Direct,
    Group,
}

/// <summary>The host product's own object that a conversation is about.</summary>
/// <param name="Type">1 to 64 of <c>[A-Za-z0-9_.-]</c>, such as <c>posting</c>.</param>
/// <param name="Id">The host's id of it, 1 to 128 characters.</param>
public sealed record ConversationContext(string Type, string Id);

/// <summary>What a conversation says of itself, and its rules. Of a direct one that is metadata alone.</summary>
/// <param name="Metadata">A JSON object as text.</param>
/// <param name="Policy">The rules of its own, a JSON object as text; null where it has none.</param>
public sealed record Profile(string? Name, string? Description, string? AvatarUrl, string? Slug, string? Metadata, string? Policy)
{
    /// <summary>The same with a slug, as a group has one: made from its name where none was given.</summary>
    public Profile WithSlug(ConversationId id) => Slug is null ? this with { Slug = Conversation.SlugOf(Name!, id) } : this;
}

/// <summary>Why a conversation was closed.</summary>
public enum CloseReason
{
    /// <summary>What it was about is done.</summary>
    Completed,

    Manual,

    Blocked,

    /// <summary>Nothing was said for the time that is configured.</summary>
    Inactive,

    /// <summary>Nobody is left in it.</summary>
    Empty,
}

/// <summary>How far the first contact of two strangers has come, where it has to be accepted.</summary>
public enum RequestState
{
    /// <summary>Nothing was written yet: the first message will ask.</summary>
    Unsent,

    /// <summary>The first message waits for its receiver's answer.</summary>
    Pending,
}

/// <summary>A conversation's state as it stands in the database.</summary>
/// <param name="Version">Rises with every change but messages and pointers.</param>
/// <param name="EventNo">The number of its newest event.</param>
/// <param name="LastEventAt">When that was; later events are later than this.</param>
/// <param name="LastActivityDay">The day (UTC) of its newest message; null before the first.</param>
/// <param name="Blocked">Whether one of the two of a direct conversation has blocked the other.</param>
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
    /// <summary>When its newest message was sent, where that is to be told.</summary>
    public Instant LastActivityAt { get; init; }
}

/// <summary>How a conversation was closed.</summary>
/// <param name="By">Null for the service, and where nobody is left.</param>
public sealed record Closure(Instant At, UserId? By, CloseReason Reason, string? Note);

/// <summary>What a message was given when it was taken in.</summary>
/// <param name="EventNo">The number of the event that tells of it.</param>
/// <param name="FirstOfDay">Whether it is the conversation's first on its day (UTC).</param>
public readonly record struct MessagePosition(long Seq, long EventNo, Instant At, bool FirstOfDay);

/// <summary>How the newest message of a conversation is shown from now on.</summary>
/// <param name="Text">The beginning of its text.</param>
/// <param name="DeletedSeq">Its seq where it is deleted.</param>
public sealed record Preview(string? Text, long? DeletedSeq);

/// <summary>What an event was given among those of its conversation.</summary>
public readonly record struct EventPosition(long EventNo, Instant At);

/// <summary>
/// A place where two people (direct) or up to a limit of them (group) talk. Guards who may be in it and whether it can be written to.
/// Whoever changes it locks its row first and decides on what is read after that. Its version rises with every change but messages and
/// pointers: by it a client says which state a request is meant for.
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

    /// <summary>Who is in it from the beginning, where it is being made.</summary>
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

    /// <summary>How it was closed, where that was since it was read.</summary>
    public Closure? Closing { get; private set; }

    public bool IsArchived { get; private set; }

    public bool IsBlocked { get; private set; }

    public RequestState? Request { get; private set; }

    /// <summary>Whether people learn from each other what they have received and read: not where the policy says no, nor between two who
    /// are parted by a block or by a request that waits.</summary>
    public bool TellsReceipts => Policy is { Receipts: true } && !IsKeptApart;

    /// <summary>
    /// Who else learns how far somebody has received or read: everybody, which is null, or where many take part the one who waits for it.
    /// </summary>
    /// <param name="author">Who wrote the newest of those messages; null for the service.</param>
    public IReadOnlyList<UserId?> HearersOf(UserId reader, UserId? author) =>
        !TellsReceipts ? [] : !IsLarge ? [null] : author is { } waiting && waiting != reader ? [waiting] : [];

    /// <summary>Whether it is of two between whom nothing with words or attention passes.</summary>
    public bool IsKeptApart => IsBlocked || Request is RequestState.Pending;

    /// <summary>How its newest message is shown, where that is otherwise than when it was read.</summary>
    public Preview? Preview { get; private set; }

    /// <summary>Whether so many take part that not each is told how far each other one has read.</summary>
    public bool IsLarge => ParticipantCount > 30;

    /// <summary>The rules in force; null for a conversation that is being made.</summary>
    public ConversationPolicy? Policy { get; private init; }

    /// <summary>The one key of a pair and context, whoever opens it. No part but the last can hold a space.</summary>
    public static string DirectKey(UserId one, UserId other, ConversationContext? context)
    {
        var (first, second) = one < other ? (one, other) : (other, one);
        return context is null ? $"{first} {second}" : $"{first} {second} {context.Type} {context.Id}";
    }

    /// <summary>The conversation of two people; refuses one with oneself.</summary>
    /// <param name="request">Set where the other one has to accept the first message.</param>
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

    /// <summary>A group; its creator is the owner and counts. The service makes one without being in it.</summary>
    /// <param name="others">The other members, distinct and without the creator.</param>
    /// <param name="limit">The most participants a group may have.</param>
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

    /// <summary>The day under which it is in a founder's inbox; null for one who first hears of it by its first message.</summary>
    public LocalDate? FirstDayOf(Participant founder) =>
        LastActivityDay ?? (founder.UserId == CreatedBy ? CreatedAt.InUtc().Date : null);

    /// <summary>A conversation as it stands in the database.</summary>
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

    /// <summary>Refuses anything new in a conversation that is closed or archived.</summary>
    public void EnsureWritable()
    {
        if (IsArchived)
            throw ConversationErrors.Archived();
        if (IsClosed)
            throw ConversationErrors.Closed();
    }

    /// <summary>Refuses whatever adds to it or to its messages, by somebody who takes part.</summary>
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

    /// <summary>Takes a message in: next in order, and later than all that happened here before, whatever the clock says.</summary>
    public MessagePosition DrawPosition(Instant now)
    {
        var startsDay = StartsDay(now);
        var (eventNo, at) = DrawEventPosition(now);
        (LastActivityAt, LastActivityDay, Preview) = (at, at.InUtc().Date, null);
        return new MessagePosition(++LastSeq, eventNo, at, startsDay);
    }

    /// <summary>Whether a message that comes now is the first of its day (UTC).</summary>
    public bool StartsDay(Instant now) => Next(now).InUtc().Date != LastActivityDay;

    /// <summary>Shows a message otherwise, if it is the newest.</summary>
    public void Show(long seq, Preview preview)
    {
        if (seq == LastSeq)
            Preview = preview;
    }

    /// <summary>Gives an event its place among those of the conversation.</summary>
    public EventPosition DrawEventPosition(Instant now)
    {
        LastEventAt = Next(now);
        return new EventPosition(++EventNo, LastEventAt);
    }

    /// <summary>The time of what happens here next: later than all that happened before, whatever the clock says.</summary>
    public Instant Next(Instant now) => now > LastEventAt ? now : LastEventAt + Duration.FromNanoseconds(1_000);

    /// <summary>Refuses whoever may not send here, however long ago the last message was.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayPost(Participant? by)
    {
        if (WhyNotPost(by) is { } refusal)
            throw refusal;
    }

    /// <summary>Refuses, in slow mode, a message or an edit that comes too soon after the last one.</summary>
    /// <param name="sender">Null for the service.</param>
    public void EnsurePace(Participant? sender, Instant now)
    {
        if (sender is null || Type is ConversationType.Direct || sender.Administers || Policy!.SlowModeSeconds == 0)
            return;
        if (sender.LastSentAt + Duration.FromSeconds(Policy.SlowModeSeconds) is { } next && next > now)
            throw ConversationErrors.TooSoon(next - now);
    }

    // Now or later; null for who may.
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
    /// Whether those who take part are told that others write: not between two who have yet to accept, or have blocked, each other.
    /// </summary>
    public bool TellsTyping => !IsBlocked && Request is null;

    /// <summary>Whether others are told that somebody writes: not of who may send nothing.</summary>
    public bool ShowsTyping(Participant by) => TellsTyping && WhyNotPost(by) is null;

    /// <summary>
    /// Refuses, of one of two, whatever would reach the other one: while one has blocked the other, and until the first message was
    /// accepted.
    /// </summary>
    /// <param name="by">Null for the service.</param>
    private void EnsureReaches(Participant? by)
    {
        if (WhyParted(by, asks: false) is { } refusal)
            throw refusal;
    }

    // The first message is what asks; everything else waits for its answer.
    private RuleException? WhyParted(Participant? by, bool asks) =>
        by is null ? null
        : IsBlocked ? ConversationErrors.Blocked()
        : Request is RequestState.Pending || (Request is RequestState.Unsent && !asks) ? ConversationErrors.RequestPending()
        : null;

    /// <summary>Refuses a mention of everybody by who may not disturb them all at once.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayMentionAll(Participant? by)
    {
        if (Type is ConversationType.Group && Policy!.MentionAll is AllowedTo.Admins)
            by?.EnsureAdministers();
    }

    /// <summary>Refuses pinning by who may not pin for everybody; in a direct conversation both may.</summary>
    /// <param name="by">Null for the service.</param>
    public void EnsureMayPin(Participant? by)
    {
        EnsureOpenTo(by);
        if (Type is ConversationType.Group && Policy!.Pinning is AllowedTo.Admins)
            by?.EnsureAdministers();
    }

    /// <summary>Lets people in: all of them or none. A group that nobody is in is owned by the first of them in line.</summary>
    /// <param name="by">Who adds; null for the service.</param>
    /// <param name="role">As what; only those who administer the group make others do so.</param>
    /// <param name="coming">Their places, without those who are in already.</param>
    /// <returns>Who owns it from now on, where nobody was in it.</returns>
    public Participant? Add(Participant? by, ParticipantRole role, IReadOnlyCollection<Participant> coming, int limit)
    {
        EnsureMayAdd(by, role, coming.Count, limit);
        var owner = ParticipantCount == 0 ? BecomeOwnedBy(coming) : null;
        ParticipantCount += coming.Count;
        Version++;
        return owner;
    }

    /// <summary>Somebody's place from now on: with nothing unread.</summary>
    public Participant NewParticipant(UserId user, ParticipantRole role, Instant now) => new(Id, user, role, now, LastSeq);

    /// <summary>The seq up to which messages are not to be seen by who comes in now.</summary>
    public long HidesUpTo => Policy!.History is HistoryAccess.SinceJoin ? LastSeq : 0;

    /// <summary>Refuses whoever may not let so many people in.</summary>
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
    /// Puts somebody out; whoever puts oneself out leaves. An owner is followed by the first admin, else by the longest member.
    /// </summary>
    /// <param name="by">Who does; null for the service.</param>
    /// <param name="others">Those of whom one may follow.</param>
    /// <returns>Who follows; null where nobody has to, or nobody is left.</returns>
    public Participant? Remove(Participant? by, Participant target, IEnumerable<Participant> others, Instant now)
    {
        EnsureGroup();
        EnsureMayRemove(by, target);
        target.Leave(byChoice: by?.UserId == target.UserId, now);
        return Follow(target, others);
    }

    /// <summary>Refuses whoever may not keep somebody out, whether that one takes part or not.</summary>
    /// <param name="target">Null for somebody who does not take part.</param>
    public void EnsureMayBan(Participant? by, UserId banned, Participant? target)
    {
        EnsureGroup();
        by?.EnsureAdministers();
        if (by?.UserId == banned)
            throw ParticipantErrors.BanOfOneself();
        if (target is not null)
            EnsureMayRemove(by, target);
    }

    /// <summary>Refuses whoever may not let somebody in again who was kept out.</summary>
    public void EnsureMayUnban(Participant? by)
    {
        EnsureGroup();
        by?.EnsureAdministers();
    }

    /// <summary>Ends a group that nobody is left in; false where somebody is, or where it has ended.</summary>
    public bool EndIfEmpty(Instant now)
    {
        if (ParticipantCount > 0 || IsClosed)
            return false;
        End(new Closure(now, By: null, CloseReason.Empty, Note: null));
        return true;
    }

    /// <summary>
    /// Gives a member another role; false for who has it. Owner becomes who is handed the group, by the owner or the service, and the owner
    /// until then an admin.
    /// </summary>
    /// <param name="owner">The one until then; null where there is none.</param>
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

    /// <summary>Refuses whoever may not change what it says of itself and its rules: of a group, those who administer it may.</summary>
    public void EnsureMayChange(Participant? by, bool isOfGroup)
    {
        if (isOfGroup)
            EnsureGroup();
        EnsureNotArchived();
        if (Type is ConversationType.Direct && by is not null)
            throw ConversationErrors.ServiceOnly();
        by?.EnsureAdministers();
    }

    /// <summary>Says something else of itself.</summary>
    public void Change() => Version++;

    /// <summary>Refuses whoever may not end it. Either of the two of a direct conversation may.</summary>
    public void EnsureClosable(Participant? by)
    {
        EnsureWritable();
        EnsureReaches(by);
        EnsureMayClose(by);
    }

    /// <summary>Ends it: it can be read, and nothing can be sent.</summary>
    public void Close(Participant? by, Closure closing)
    {
        EnsureClosable(by);
        End(closing);
    }

    /// <summary>Opens it again; false when it was open.</summary>
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

    /// <summary>Puts it away for everyone, or brings it back; false when nothing changes.</summary>
    public bool Archive(Participant? by, bool archived)
    {
        EnsureOwnedBy(by);
        if (IsArchived == archived)
            return false;
        IsArchived = archived;
        Version++;
        return true;
    }

    /// <summary>Refuses whoever may not do with the conversation what concerns everybody in it.</summary>
    public void EnsureOwnedBy(Participant? by)
    {
        if (by is not null && (Type is ConversationType.Direct || by.Role is not ParticipantRole.Owner))
            throw Type is ConversationType.Direct ? ConversationErrors.ServiceOnly() : ParticipantErrors.OwnerOnly();
    }

    /// <summary>
    /// Has nothing pass between the two from now on, since one has blocked the other: how far each has read and received stays for the
    /// other one as it is. False where that is so already.
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
    /// Neither blocks the other any more. Unless a first message still waits, they see each other's pointers again as they are.
    /// </summary>
    /// <returns>What the other one is to be told of each, as far as receipts are told here.</returns>
    public IReadOnlyList<UnseenMoves> Unblock(IReadOnlyCollection<Partner> both)
    {
        if (!IsBlocked)
            return [];
        IsBlocked = false;
        Version++;
        return Reveal(both) is { } moves && TellsReceipts ? moves : [];
    }

    /// <summary>Has the first message wait for its receiver's answer.</summary>
    public void BeginRequest(Partner receiver, IReadOnlyCollection<Partner> both)
    {
        Request = RequestState.Pending;
        Version++;
        receiver.Await(answer: true);
        foreach (var one in both)
            one.Withhold();
    }

    /// <summary>Lets the two talk, where one would have to accept that, or has to.</summary>
    /// <returns>Who has not heard of the conversation: its receiver, or where nothing was written yet for whom it was opened.</returns>
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

    // Null where the two are still parted.
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
