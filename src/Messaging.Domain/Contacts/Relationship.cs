using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Domain.Contacts;

public enum ContactStatus
{
    Pending,
    Accepted,
}

public enum RequestStatus
{
    Pending,
    Accepted,
    Declined,
}

/// <summary>A user's contact with the other user.</summary>
public sealed record Contact(ContactStatus Status, UserId RequestedBy, Instant CreatedAt, Instant? AcceptedAt);

/// <summary>One user's side of the relationship.</summary>
/// <param name="DeclinedAt">When this user last declined a request of the other.</param>
/// <param name="TakenBackAt">When the other user last withdrew a request that this user had been told about.</param>
public sealed record Side(
    UserId UserId, Contact? Contact = null, bool Blocks = false, Instant? DeclinedAt = null, Instant? TakenBackAt = null);

/// <summary>A first message that waits, or waited, for its receiver's answer. At most one between two people is not accepted.</summary>
public sealed record FirstMessage(Guid Id, UserId From, RequestStatus Status, Instant? AnsweredAt)
{
    /// <summary>As one of the two sees it: to whoever asked a no looks like no answer.</summary>
    public FirstMessage AsSeenBy(UserId viewer) =>
        Status is RequestStatus.Declined && From == viewer ? this with { Status = RequestStatus.Pending, AnsweredAt = null } : this;
}

/// <summary>An event for one of the two users.</summary>
/// <param name="Was">The contact that was removed.</param>
public sealed record ContactEvent(IPersonalEvent Fact, Contact? Was = null);

/// <summary>
/// The relationship of two users, as one of them is about to change it: contact, contact requests, blocks and the first message. To its
/// sender a declined request looks unanswered; repeating a request within a day does not notify again.
/// </summary>
public sealed class Relationship
{
    private static readonly Duration AttentionOnce = Duration.FromDays(1);

    private readonly List<ContactEvent> news = [];
    private readonly (Side Mine, Side Theirs, FirstMessage? First) before;
    private readonly Duration noHolds;

    private Relationship(Side mine, Side theirs, FirstMessage? first, Duration noHolds, Instant now)
    {
        (Mine, Theirs, First) = before = (mine, theirs, first);
        Now = now;
        this.noHolds = noHolds;
    }

    /// <summary>The acting user's side.</summary>
    public Side Mine { get; private set; }

    public Side Theirs { get; private set; }

    /// <summary>The first message between them, if it is not accepted, or was not when it was loaded.</summary>
    public FirstMessage? First { get; private set; }

    /// <summary>The time of the decision.</summary>
    public Instant Now { get; }

    /// <summary>Whether pending conversations between the two open now.</summary>
    public bool Opens { get; private set; }

    /// <summary>Whether one of them has blocked the other.</summary>
    public bool IsBlocked => Mine.Blocks || Theirs.Blocks;

    /// <summary>Whether what they may send each other has changed.</summary>
    public bool StandsOtherwise => Opens || IsBlocked != (before.Mine.Blocks || before.Theirs.Blocks);

    /// <summary>The events for the two users, in order.</summary>
    public IReadOnlyList<ContactEvent> News => news;

    /// <summary>The sides that have changed.</summary>
    public IEnumerable<(Side Before, Side Side)> Changed =>
        new[] { (before.Mine, Mine), (before.Theirs, Theirs) }.Where(change => change.Item1 != change.Item2);

    /// <summary>The first message, if it is new.</summary>
    public FirstMessage? Asked => before.First is null ? First : null;

    /// <summary>The first message, if it existed before and has been answered.</summary>
    public FirstMessage? Answered => before.First is not null && before.First != First ? First : null;

    /// <summary>The other one of the two.</summary>
    public UserId OtherThan(UserId user) => user == Mine.UserId ? Theirs.UserId : Mine.UserId;

    /// <summary>As stored in the database.</summary>
    /// <param name="noHolds">How long declining lasts.</param>
    public static Relationship Restore(Side mine, Side theirs, FirstMessage? first, Duration noHolds, Instant now) =>
        new(mine, theirs, first, noHolds, now);

    /// <summary>Refuses a relationship with oneself.</summary>
    public static void EnsureOfTwo(UserId one, UserId other)
    {
        if (one == other)
            throw ContactErrors.WithOneself();
    }

    /// <summary>Refuses whatever would reach the other user while either has blocked the other.</summary>
    /// <param name="place">Where the request names the other user.</param>
    public void EnsureNotBlocked(string? place = null)
    {
        if (IsBlocked)
            throw ContactErrors.Blocked(place);
    }

    /// <summary>
    /// Sends a contact request. True if it is new; if the other user has already asked, this accepts, and repeating it changes nothing.
    /// </summary>
    public bool Ask()
    {
        EnsureNotBlocked();
        // A user who declined has no row; the one who asked still has one: to them the request is open.
        if ((Mine.Contact ?? Theirs.Contact) is { Status: ContactStatus.Pending } open && open.RequestedBy == Theirs.UserId)
        {
            Accept(Theirs.UserId);
            return false;
        }
        if (Theirs.Contact is not null || !MayAskAnew())
            return false;

        var question = new Contact(ContactStatus.Pending, Mine.UserId, Now, AcceptedAt: null);
        Mine = Mine with { Contact = question };
        Tell(new ContactRequested(Mine.UserId));
        // A request within the declined period is only visible to its sender.
        if (Holds(Theirs.DeclinedAt))
            return true;
        Theirs = Theirs with { Contact = question };
        if (!IsLate(Theirs.TakenBackAt))
            Tell(new ContactRequested(Theirs.UserId));
        return true;
    }

    /// <summary>Answers the other user's request. Its sender is only told if it is accepted.</summary>
    public void Answer(bool accepts)
    {
        if (Mine.Contact is not { } contact)
            throw CommonErrors.NotFound();
        if (contact.Status is ContactStatus.Accepted)
        {
            EnsureStands(accepts);
            return;
        }
        if (contact.RequestedBy == Mine.UserId)
            throw ContactErrors.OwnQuestion();
        if (accepts)
        {
            EnsureNotBlocked();
            Accept(Theirs.UserId);
            return;
        }
        Mine = Mine with { Contact = null, DeclinedAt = Now };
        Tell(new ContactRemoved(Mine.UserId), contact);
    }

    /// <summary>Removes the contact, withdraws a request, or declines one.</summary>
    public void Remove()
    {
        if (Mine.Contact is not { } mine)
            throw CommonErrors.NotFound();
        var takesBack = Theirs.Contact is { Status: ContactStatus.Pending } question && question.RequestedBy == Mine.UserId;
        Tell(new ContactRemoved(Mine.UserId), mine);
        // A user told of the request and of its withdrawal before is not told of this one.
        if (Theirs.Contact is { } theirs && !(takesBack && IsLate(Theirs.TakenBackAt)))
            Tell(new ContactRemoved(Theirs.UserId), theirs);
        Mine = Mine with { Contact = null };
        Theirs = Theirs with { Contact = null, TakenBackAt = takesBack ? Now : Theirs.TakenBackAt };
    }

    /// <summary>Blocks the other user; false if already blocked.</summary>
    public bool Block() => Block(blocks: true);

    /// <summary>Lifts the acting user's block; false if there is none.</summary>
    public bool Unblock() => Block(blocks: false);

    /// <summary>Whether a first message to the other user has to be accepted; refuses one that may not be sent at all.</summary>
    public bool Asks(DirectMessages policy) => Mine.Contact is not { Status: ContactStatus.Accepted } && policy switch
    {
        DirectMessages.Contacts => throw ContactErrors.NotAContact(),
        _ => policy is DirectMessages.Requests,
    };

    /// <summary>Makes a first message wait to be accepted. If its receiver recently declined the sender, it is declined at once.</summary>
    public FirstMessage AskFirst(Guid id)
    {
        if (First is not null)
            throw ConversationErrors.RequestPending();
        First = Holds(Theirs.DeclinedAt)
            ? new FirstMessage(id, Mine.UserId, RequestStatus.Declined, Theirs.DeclinedAt)
            : new FirstMessage(id, Mine.UserId, RequestStatus.Pending, AnsweredAt: null);
        if (First.Status is RequestStatus.Pending)
            Tell(new RequestReceived(Theirs.UserId));
        return First;
    }

    /// <summary>
    /// Answers a first message: accepting makes both contacts; declining is not told to its sender, and can be changed to accepting later.
    /// </summary>
    /// <param name="id">Which one. An unaccepted one is <see cref="First"/>.</param>
    /// <param name="from">Who sent it.</param>
    public void AnswerFirst(Guid id, UserId from, bool accepts)
    {
        if (from == Mine.UserId)
            throw ContactErrors.OwnQuestion();
        if (First?.Id != id)
        {
            EnsureStands(accepts);
            return;
        }
        if (accepts)
        {
            EnsureNotBlocked();
            Accept(from);
        }
        else if (First.Status is RequestStatus.Pending)
        {
            First = First with { Status = RequestStatus.Declined, AnsweredAt = Now };
            Tell(new RequestAnswered(Mine.UserId));
        }
    }

    // A pending first message is already a request; and to a declined sender the request looks open until declining expires.
    private bool MayAskAnew()
    {
        var waits = First is { } first && first.From == Mine.UserId && (first.AnsweredAt is null || Holds(first.AnsweredAt));
        if (waits && Mine.Contact is null)
            throw ConversationErrors.RequestPending();
        return !waits && (Mine.Contact is null || !Holds(Theirs.DeclinedAt));
    }

    private void Accept(UserId asker)
    {
        var isNew = Mine.Contact is not { Status: ContactStatus.Accepted } || Theirs.Contact is not { Status: ContactStatus.Accepted };
        (Mine, Theirs, Opens) = (Accepted(Mine, asker), Accepted(Theirs, asker), true);
        if (isNew)
            TellBoth(user => new ContactAccepted(user));
        if (First is null)
            return;
        First = First with { Status = RequestStatus.Accepted, AnsweredAt = Now };
        TellBoth(user => new RequestAnswered(user));
    }

    // Accepting clears an earlier decline.
    private Side Accepted(Side side, UserId asker) => side with
    {
        Contact = side.Contact is { Status: ContactStatus.Accepted } contact
            ? contact
            : new Contact(ContactStatus.Accepted, side.Contact?.RequestedBy ?? asker, side.Contact?.CreatedAt ?? Now, Now),
        DeclinedAt = null,
        TakenBackAt = null,
    };

    private bool Block(bool blocks)
    {
        if (Mine.Blocks == blocks)
            return false;
        Mine = Mine with { Blocks = blocks };
        Tell(new BlockChanged(Mine.UserId));
        return true;
    }

    private static void EnsureStands(bool accepts)
    {
        if (!accepts)
            throw ContactErrors.Accepted();
    }

    private bool Holds(Instant? no) => no > Now - noHolds;

    private bool IsLate(Instant? takenBack) => takenBack > Now - AttentionOnce;

    private void TellBoth(Func<UserId, IPersonalEvent> fact)
    {
        Tell(fact(Mine.UserId));
        Tell(fact(Theirs.UserId));
    }

    private void Tell(IPersonalEvent fact, Contact? was = null) => news.Add(new ContactEvent(fact, was));
}
