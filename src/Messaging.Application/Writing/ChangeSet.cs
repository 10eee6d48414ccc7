using System.Data.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;
using static Messaging.Application.Writing.Columns;

namespace Messaging.Application.Writing;

/// <summary>
/// Changes that are decided and written together. Locks the rows they concern, reads in later statements what they require, lets them
/// decide, and writes the resulting rows. Two round trips, however many changes there are; a third where more has to be looked for.
/// </summary>
public sealed class ChangeSet
{
    private const string BeginSql = "BEGIN";
    private const string CommitSql = "COMMIT";
    private const string WaitSql = "SET LOCAL lock_timeout = '1s'";

    // Skips rows that others have locked, so nothing waits here and nothing can deadlock. Index: pk_conversations.
    private const string TryLockSql =
        """
        SELECT id
        FROM conversations
        WHERE id = ANY($1::uuid[])
        FOR NO KEY UPDATE SKIP LOCKED
        """;

    // Index: pk_conversations.
    private const string LockSql =
        """
        SELECT id
        FROM conversations
        WHERE id = ANY($1::uuid[])
        ORDER BY id
        FOR NO KEY UPDATE
        """;

    private const string TryLockOwnSql = $"{MembershipPart.LockSql} SKIP LOCKED";

    private const string AddEventsSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, event_no, seq, user_id, type, payload)
        SELECT w.at, w.conversation_id, w.event_no, w.seq, w.user_id, w.type, w.payload::jsonb
        FROM unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
            AS w (at, conversation_id, event_no, seq, user_id, type, payload)
        """;

    private readonly ChangePart[] parts;
    private readonly Dictionary<Type, ChangePart> byType;
    private readonly List<EventRow> events = [];

    public ChangeSet(IEnumerable<ChangePart> parts)
    {
        this.parts = [.. parts.OrderBy(part => part.Stage).ThenBy(part => part.GetType().Name, StringComparer.Ordinal)];
        byType = this.parts.ToDictionary(part => part.GetType());
        (Conversations, Memberships, Sends, Messages) =
            (Part<ConversationPart>(), Part<MembershipPart>(), Part<SendPart>(), Part<MessagePart>());
        Pointers = Part<PointerPart>();
    }

    /// <summary>Whether the commit has not been sent yet, so that nothing can be stored.</summary>
    public bool IsUnwritten { get; private set; } = true;

    /// <summary>The database's time, read under the locks.</summary>
    public Instant Now => Conversations.Now;

    public ConversationPart Conversations { get; }

    /// <summary>The memberships that changes require.</summary>
    public MembershipPart Memberships { get; }

    /// <summary>Existing messages.</summary>
    public MessagePart Messages { get; }

    /// <summary>How far members have read and received.</summary>
    public PointerPart Pointers { get; }

    /// <summary>New messages.</summary>
    public SendPart Sends { get; }

    /// <summary>A part of the set. Each module names its own parts by an extension of this class.</summary>
    public T Part<T>()
        where T : ChangePart => (T)byType[typeof(T)];

    /// <summary>Requires the actor's membership; the service has none.</summary>
    public void RequireMembership(ConversationId id, Actor actor)
    {
        if (actor.UserId is { } user)
            Memberships.Require(id, user);
    }

    /// <summary>The conversation as earlier changes have left it; not found if it does not exist.</summary>
    public Conversation Get(ConversationId id) => Conversations.Find(id) ?? throw CommonErrors.NotFound();

    /// <summary>The conversation and a user's membership; not found for a user who is not a participant.</summary>
    public (Conversation Conversation, Membership Place) Get(ConversationId id, UserId user) =>
        (Get(id), Memberships.Find(id, user) ?? throw CommonErrors.NotFound());

    /// <summary>The conversation and the actor's membership, null for the service; not found for a user who is not a participant.</summary>
    public (Conversation Conversation, Membership? Place) Get(ConversationId id, Actor actor) =>
        actor.UserId is { } user ? Get(id, user) : (Get(id), null);

    /// <summary>
    /// The author of the message up to which a user's pointers move, if the author may be told; null for the service. An earlier change
    /// may have sent it.
    /// </summary>
    public UserId? AuthorOf(ConversationId id, UserId user, long seq) => Sends.SenderOf(id, seq) ?? Pointers.NewestSenderOf(id, user);

    /// <summary>Records a new message and its event.</summary>
    public void Add(NewMessage message)
    {
        Sends.Add(message);
        if (message.Draft.Type is not MessageType.System)
            Memberships.Receive(message.ConversationId, message.Sender);
        var (id, at) = (message.ConversationId, message.Position.At);
        events.Add(new(at, id, message.Position.EventNo, message.Position.Seq, Audience: null, MessageSent.Name, message.EventValues));
        if (message is { HadUnread: true, Sender: { } sender })
        {
            Pointers.ReadBySending(id, sender, message.Position);
            events.Add(new(at, id, No: null, Seq: null, sender, UnreadChanged.Name, Values: null));
        }
    }

    /// <summary>Records that a message is deleted for everyone, together with everything that belongs to it.</summary>
    public void Delete(ConversationId id, StoredMessage deleted)
    {
        Messages.Delete(id, deleted);
        foreach (var part in parts)
            part.Forget(id, deleted);
    }

    /// <summary>
    /// Removes what a user keeps privately about messages that the user can no longer see: those after one seq, up to another.
    /// </summary>
    public void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
        foreach (var part in parts)
            part.ForgetOwn(id, user, after, upto);
    }

    /// <summary>
    /// Posts a system message that says what happened to the conversation, in <c>metadata.event</c>; none if it is closed or archived.
    /// </summary>
    public void PostSystemMessage(Conversation conversation, SystemMessage note)
    {
        if (conversation.IsClosed || conversation.IsArchived)
            return;
        var content = new MessageContent(Type: MessageType.System, Metadata: note.ToMetadata());
        var message = Message.Compose(
            conversation, Actor.Service, participant: null, content.ToDraft(), present: new HashSet<UserId>(), Now);
        Add(new NewMessage(
            message, content, conversation.DrawPosition(Now), Reply: null, Files: [], HadUnread: false, Fingerprint: null,
            conversation.ParticipantCount));
    }

    /// <summary>Raises an event for each of the users, each of which says how many take part: once the change of all is decided.</summary>
    public void RaiseForEach(Conversation conversation, IEvent fact, UserId? by, IEnumerable<UserId> users)
    {
        foreach (var user in users.Order())
        {
            Raise(conversation, fact, seq: null, new ParticipantValues
            {
                Participant = new UserRef(user),
                By = by,
                ParticipantCount = conversation.ParticipantCount,
                Version = conversation.Version,
            });
        }
    }

    /// <summary>Raises an event that contains the conversation as all participants see it.</summary>
    public void Raise(Conversation conversation, IEvent fact) => Raise(conversation, fact, seq: null, ValuesOf(conversation));

    /// <summary>Raises an event, with its position among those of the conversation.</summary>
    /// <param name="values">The values of this moment that the event keeps; null for none.</param>
    /// <param name="now">The time of the event if it must be later than that of the batch.</param>
    public void Raise(Conversation conversation, IEvent fact, long? seq, object? values, Instant? now = null)
    {
        var place = conversation.DrawEventPosition(now ?? Now);
        events.Add(new(place.At, conversation.Id, place.EventNo, seq, fact.Audience, fact.Type, Outbox.Json(values)));
    }

    /// <summary>
    /// Raises an event about a member's own state. It has no position among those of the conversation, but comes after those raised so
    /// far. Sent to its audience: one user, or all participants.
    /// </summary>
    /// <param name="now">The time of the event if it must be later than that of the batch.</param>
    public void RaiseOwn(IEvent fact, object? values, Instant? now = null) => events.Add(new(
        Instant.Max(now ?? Now, Get(fact.ConversationId).LastEventAt), fact.ConversationId, No: null, Seq: null, fact.Audience, fact.Type,
        Outbox.Json(values)));

    /// <summary>Records a member's changed settings or state.</summary>
    public void Save(Participant who, OwnState own)
    {
        if (who.Own.ClearedSeq < own.ClearedSeq)
            ForgetOwn(who.ConversationId, who.UserId, who.Own.ClearedSeq, own.ClearedSeq);
        Memberships.Change(who, own);
    }

    /// <summary>
    /// Decides and writes the changes in a transaction of their own. Skips and returns those whose rows others have locked, which are
    /// left undecided. All others are decided, and stored when this returns.
    /// </summary>
    /// <param name="waits">Whether it waits for rows that others have locked, for at most a second.</param>
    public async Task<IReadOnlyList<Change>> RunAsync(
        DbConnection connection, IReadOnlyList<Change> changes, bool waits, CancellationToken ct)
    {
        var missed = await LoadAsync(connection, transaction: null, changes, waits, ct);
        foreach (var change in changes.Except(missed))
            change.Decide(this);
        await using var round = new Round(connection, transaction: null);
        Write(round);
        round.Add(CommitSql);
        IsUnwritten = false;
        await round.RunAsync(ct);
        return missed;
    }

    /// <summary>Decides and writes changes within an open transaction; waits for rows that others have locked.</summary>
    public async Task RunAsync(DbConnection connection, DbTransaction transaction, IReadOnlyList<Change> changes, CancellationToken ct)
    {
        await LoadAsync(connection, transaction, changes, waits: true, ct);
        foreach (var change in changes)
            change.Decide(this);
        await using var round = new Round(connection, transaction);
        Write(round);
        if (!round.IsEmpty)
            await round.RunAsync(ct);
        foreach (var change in changes)
            change.Complete(this);
    }

    private async Task<IReadOnlyList<Change>> LoadAsync(
        DbConnection connection, DbTransaction? transaction, IReadOnlyList<Change> changes, bool waits, CancellationToken ct)
    {
        foreach (var change in changes)
        {
            Conversations.Require(change.ConversationId);
            change.Require(this);
        }
        await using var round = new Round(connection, transaction);
        if (transaction is null)
            round.Add(BeginSql);
        if (waits)
            round.Add(WaitSql);
        var locked = new HashSet<ConversationId>();
        var lockedMemberships = new HashSet<(ConversationId, UserId)>();
        Lock(round, changes, waits, locked, lockedMemberships);
        foreach (var part in parts)
            part.Load(round);
        await round.RunAsync(ct);

        await using var elsewhere = new Round(connection, transaction);
        Memberships.LockMembers(
            elsewhere, waits, [.. Memberships.DaysRequired.Where(id => locked.Contains(id) && Conversations.Find(id)!.StartsDay(Now))]);
        foreach (var part in parts)
            part.LoadElsewhere(elsewhere);
        if (!elsewhere.IsEmpty)
            await elsewhere.RunAsync(ct);
        if (transaction is not null)
            return [];
        return
        [
            .. changes.Where(change => change.IsMissed(this) || (change.Place is { } user
                ? Memberships.Find(change.ConversationId, user) is not null && !lockedMemberships.Contains((change.ConversationId, user))
                : Conversations.Find(change.ConversationId) is not null && !locked.Contains(change.ConversationId))),
        ];
    }

    // The values that clients build on, as the changes so far have left them.
    private ConversationValues ValuesOf(Conversation conversation) => new()
    {
        LastSeq = conversation.LastSeq,
        LastActivityAt = conversation.LastActivityAt,
        ParticipantCount = conversation.ParticipantCount,
        Participants = [.. Memberships.FirstOf(conversation.Id).Select(user => new UserRef(user))],
    };

    private void Lock(
        Round round, IReadOnlyList<Change> changes, bool waits, HashSet<ConversationId> locked,
        HashSet<(ConversationId, UserId)> lockedMemberships)
    {
        IfAny(
            changes.Where(change => change.Place is null).Select(change => change.ConversationId.Value).Distinct().ToArray(),
            ids => round.Read(waits ? LockSql : TryLockSql, reader => locked.Add(new(reader.GetGuid(0))), ids));
        IfAny(Memberships.OwnRequired, required =>
        {
            var (ids, users) = Split(required);
            round.Read(
                waits ? MembershipPart.LockSql : TryLockOwnSql,
                reader => lockedMemberships.Add((new(reader.GetGuid(0)), new(reader.GetString(1)))), ids, users);
        });
        // If a part cannot lock something, all changes of the conversation are retried.
        foreach (var part in parts)
            part.Lock(round, waits, id => locked.Remove(id));
    }

    private void Write(Round round)
    {
        foreach (var part in parts)
            part.Write(round);
        IfAny([.. events, .. parts.SelectMany(part => part.Events())], rows => round.Add(
            AddEventsSql, Of(rows, e => e.At.ToDateTimeUtc()), Of(rows, e => e.ConversationId.Value), Of(rows, e => e.No),
            Of(rows, e => e.Seq), Of(rows, e => e.Audience?.Value), Of(rows, e => e.Type), Of(rows, e => e.Values)));
        foreach (var part in parts)
            part.ReadBack(round);
    }
}
