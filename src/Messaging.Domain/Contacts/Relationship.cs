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

/// <summary>The other one of two, among one's contacts.</summary>
public sealed record Contact(ContactStatus Status, UserId RequestedBy, Instant CreatedAt, Instant? AcceptedAt);

/// <summary>What one of two has made of the other one.</summary>
/// <param name="DeclinedAt">When this one last said no to a question of the other one.</param>
/// <param name="TakenBackAt">When the other one last took back a question that this one had heard of.</param>
public sealed record Side(
    UserId UserId, Contact? Contact = null, bool Blocks = false, Instant? DeclinedAt = null, Instant? TakenBackAt = null);

/// <summary>A first message that waits, or waited, for its receiver's answer. At most one between two people is not accepted.</summary>
public sealed record FirstMessage(Guid Id, UserId From, RequestStatus Status, Instant? AnsweredAt)
{
    /// <summary>As one of the two sees it: to whoever asked a no looks like no answer.</summary>
    public FirstMessage AsSeenBy(UserId viewer) =>
        Status is RequestStatus.Declined && From == viewer ? this with { Status = RequestStatus.Pending, AnsweredAt = null } : this;
}

/// <summary>What one of the two hears of a change.</summary>
/// <param name="Was">The contact that is no more.</param>
public sealed record ContactEvent(IPersonalEvent Fact, Contact? Was = null);

/// <summary>
/// What stands between two people, as one of them is about to change it: contacts, questions, blocks and the first message. A no looks, to
/// the one who asked, like no answer; nobody takes another one's attention twice by asking again.
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

    /// <summary>What the one who acts has made of the other one.</summary>
    public Side Mine { get; private set; }

    public Side Theirs { get; private set; }

    /// <summary>The first message of one of them, where it is not accepted, or was not when it was read.</summary>
    public FirstMessage? First { get; private set; }

    /// <summary>When it is decided.</summary>
    public Instant Now { get; }

    /// <summary>Whether the two may talk from now on, wherever they have to wait.</summary>
    public bool Opens { get; private set; }

    /// <summary>Whether one of them has blocked the other.</summary>
    public bool IsBlocked => Mine.Blocks || Theirs.Blocks;

    /// <summary>Whether something else is so of what they may say to each other, wherever they talk.</summary>
    public bool StandsOtherwise => Opens || IsBlocked != (before.Mine.Blocks || before.Theirs.Blocks);

    /// <summary>What the two hear, in its order.</summary>
    public IReadOnlyList<ContactEvent> News => news;

    /// <summary>Those of the two who have made something else of the other one.</summary>
    public IEnumerable<(Side Before, Side Side)> Changed =>
        new[] { (before.Mine, Mine), (before.Theirs, Theirs) }.Where(change => change.Item1 != change.Item2);

    /// <summary>The first message, where it was not there before.</summary>
    public FirstMessage? Asked => before.First is null ? First : null;

    /// <summary>The first message, where it was answered and has been there before.</summary>
    public FirstMessage? Answered => before.First is not null && before.First != First ? First : null;

    /// <summary>The other one of the two.</summary>
    public UserId OtherThan(UserId user) => user == Mine.UserId ? Theirs.UserId : Mine.UserId;

    /// <summary>As it stands in the database.</summary>
    /// <param name="noHolds">For how long one who was declined is not heard again.</param>
    public static Relationship Restore(Side mine, Side theirs, FirstMessage? first, Duration noHolds, Instant now) =>
        new(mine, theirs, first, noHolds, now);

    /// <summary>Refuses what takes another one than oneself.</summary>
    public static void EnsureOfTwo(UserId one, UserId other)
    {
        if (one == other)
            throw ContactErrors.WithOneself();
    }

    /// <summary>Refuses what would reach the other one while one of the two has blocked the other.</summary>
    /// <param name="place">Where in the request the other one stands.</param>
    public void EnsureNotBlocked(string? place = null)
    {
        if (IsBlocked)
            throw ContactErrors.Blocked(place);
    }

    /// <summary>Asks to be contacts. True where this asked; asking who has asked accepts, and asking again changes nothing.</summary>
    public bool Ask()
    {
        EnsureNotBlocked();
        // Whoever declined has no row, and the one who asked still has: that one's question is open.
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
        // A question that is not to be heard stands with the one who asks alone.
        if (Holds(Theirs.DeclinedAt))
            return true;
        Theirs = Theirs with { Contact = question };
        if (!IsLate(Theirs.TakenBackAt))
            Tell(new ContactRequested(Theirs.UserId));
        return true;
    }

    /// <summary>Answers the other one's question. Whoever asked learns of a yes only.</summary>
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

    /// <summary>Ends the contact, takes a question back, or leaves one without an answer.</summary>
    public void Remove()
    {
        if (Mine.Contact is not { } mine)
            throw CommonErrors.NotFound();
        var takesBack = Theirs.Contact is { Status: ContactStatus.Pending } question && question.RequestedBy == Mine.UserId;
        Tell(new ContactRemoved(Mine.UserId), mine);
        // Who has heard of it once, and of its end, has heard nothing of it since.
        if (Theirs.Contact is { } theirs && !(takesBack && IsLate(Theirs.TakenBackAt)))
            Tell(new ContactRemoved(Theirs.UserId), theirs);
        Mine = Mine with { Contact = null };
        Theirs = Theirs with { Contact = null, TakenBackAt = takesBack ? Now : Theirs.TakenBackAt };
    }

    /// <summary>Blocks the other one; false where that is so already.</summary>
    public bool Block() => Block(blocks: true);

    /// <summary>Lifts one's own block; false where there is none.</summary>
    public bool Unblock() => Block(blocks: false);

    /// <summary>Whether a first message to the other one waits for an answer; refuses one that may not be written at all.</summary>
    public bool Asks(DirectMessages policy) => Mine.Contact is not { Status: ContactStatus.Accepted } && policy switch
    {
        DirectMessages.Contacts => throw ContactErrors.NotAContact(),
        _ => policy is DirectMessages.Requests,
    };

    /// <summary>Has a first message wait for its answer. To whom has declined a contact lately it comes as declined.</summary>
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

    /// <summary>Answers a first message: yes makes both contacts, no is told to nobody else, and may become a yes later.</summary>
    /// <param name="id">Which one. One that is not accepted is <see cref="First"/>.</param>
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

    // A first message says the same; and to who was declined the question is open until the no holds no more.
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

    // A yes ends what was declined before.
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
