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
/// Some changes that are decided and written together: locks what they concern, reads in later statements what they ask for, has them
/// decide, and writes plain rows. Two round trips, however many they are.
/// </summary>
public sealed class ChangeSet
{
    private const string BeginSql = "BEGIN";
    private const string CommitSql = "COMMIT";
    private const string WaitSql = "SET LOCAL lock_timeout = '1s'";

    // Passes over what somebody else holds, so nobody waits here for anybody and nothing can deadlock. Index: pk_conversations.
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

    /// <summary>Whether nothing was sent yet that could be stored.</summary>
    public bool IsUnwritten { get; private set; } = true;

    /// <summary>The database's time, read under the locks.</summary>
    public Instant Now => Conversations.Now;

    public ConversationPart Conversations { get; }

    /// <summary>Who takes part, as what.</summary>
    public MembershipPart Memberships { get; }

    /// <summary>Messages that are there already.</summary>
    public MessagePart Messages { get; }

    /// <summary>How far people have read and received.</summary>
    public PointerPart Pointers { get; }

    /// <summary>New messages.</summary>
    public SendPart Sends { get; }

    /// <summary>What changes reach a part by; a module gives its own a name here by an extension.</summary>
    public T Part<T>()
        where T : ChangePart => (T)byType[typeof(T)];

    /// <summary>Asks for an actor's place; the service needs none.</summary>
    public void RequireMembership(ConversationId id, Actor actor)
    {
        if (actor.UserId is { } user)
            Memberships.Require(id, user);
    }

    /// <summary>The conversation as the changes before have left it; refuses, as absent, what is not there.</summary>
    public Conversation Get(ConversationId id) => Conversations.Find(id) ?? throw CommonErrors.NotFound();

    /// <summary>The conversation and somebody's place in it; refuses, as absent, who does not take part.</summary>
    public (Conversation Conversation, Membership Place) Get(ConversationId id, UserId user) =>
        (Get(id), Memberships.Find(id, user) ?? throw CommonErrors.NotFound());

    /// <summary>The conversation and the actor's place in it, null for the service; refuses, as absent, who does not take part.</summary>
    public (Conversation Conversation, Membership? Place) Get(ConversationId id, Actor actor) =>
        actor.UserId is { } user ? Get(id, user) : (Get(id), null);

    /// <summary>
    /// The author of the message up to which a user's pointers move, if the author may be told; null for the service. An earlier change
    /// may have sent it.
    /// </summary>
    public UserId? AuthorOf(ConversationId id, UserId user, long seq) => Sends.SenderOf(id, seq) ?? Pointers.NewestSenderOf(id, user);

    /// <summary>Leaves a message to be written.</summary>
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

    /// <summary>Leaves a message that is deleted for everyone to be written, and nothing of what hung on it.</summary>
    public void Delete(ConversationId id, StoredMessage deleted)
    {
        Messages.Delete(id, deleted);
        foreach (var part in parts)
            part.Forget(id, deleted);
    }

    /// <summary>
    /// Leaves nothing of what somebody keeps for oneself of messages that are that one's to see no more: those after a seq, up to another
    /// one.
    /// </summary>
    public void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
        foreach (var part in parts)
            part.ForgetOwn(id, user, after, upto);
    }

    /// <summary>
    /// Says in the conversation what happened to it, in the words of <c>metadata.event</c>; nothing where nothing can be sent any more.
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

    /// <summary>Leaves events to be written of people, one of each.</summary>
    public void RaiseForEach(Conversation conversation, IEvent fact, UserId? by, IEnumerable<UserId> users)
    {
        foreach (var user in users.Order())
            Raise(conversation, fact, seq: null, new ParticipantValues { Participant = new UserRef(user), By = by });
    }

    /// <summary>Leaves an event to be written that carries the conversation as everybody sees it.</summary>
    public void Raise(Conversation conversation, IEvent fact) => Raise(conversation, fact, seq: null, MomentOf(conversation));

    /// <summary>Leaves an event to be written, in its place among those of the conversation.</summary>
    /// <param name="values">What the event keeps of the moment; null for nothing.</param>
    /// <param name="now">Later than the batch's own time where that is needed.</param>
    public void Raise(Conversation conversation, IEvent fact, long? seq, object? values, Instant? now = null)
    {
        var place = conversation.DrawEventPosition(now ?? Now);
        events.Add(new(place.At, conversation.Id, place.EventNo, seq, fact.Audience, fact.Type, Outbox.Json(values)));
    }

    /// <summary>
    /// Leaves an event to be written of what is somebody's own, which has no place among those of the conversation, but comes after those
    /// of the changes before. Told to its audience: one user, or everyone who takes part.
    /// </summary>
    /// <param name="now">Later than the batch's own time where that is needed.</param>
    public void RaiseOwn(IEvent fact, object? values, Instant? now = null) => events.Add(new(
        Instant.Max(now ?? Now, Get(fact.ConversationId).LastEventAt), fact.ConversationId, No: null, Seq: null, fact.Audience, fact.Type,
        Outbox.Json(values)));

    /// <summary>Leaves what somebody has made of a conversation to be written.</summary>
    public void Save(Participant who, OwnState own)
    {
        if (who.Own.ClearedSeq < own.ClearedSeq)
            ForgetOwn(who.ConversationId, who.UserId, who.Own.ClearedSeq, own.ClearedSeq);
        Memberships.Change(who, own);
    }

    /// <summary>
    /// Decides and writes the changes in a transaction of their own, passing over those whose rows somebody else holds: these are returned,
    /// and nothing has become of them. All others are decided, and stored once this returns.
    /// </summary>
    /// <param name="waits">Whether it waits for rows that somebody else holds, for a second at most.</param>
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

    /// <summary>Decides and writes changes within a transaction that goes on; waits for what somebody else holds.</summary>
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
        var held = new HashSet<ConversationId>();
        var heldPlaces = new HashSet<(ConversationId, UserId)>();
        Lock(round, changes, waits, held, heldPlaces);
        foreach (var part in parts)
            part.Load(round);
        await round.RunAsync(ct);

        await using var elsewhere = new Round(connection, transaction);
        Memberships.LockMembers(
            elsewhere, waits, [.. Memberships.DaysAsked.Where(id => held.Contains(id) && Conversations.Find(id)!.StartsDay(Now))]);
        foreach (var part in parts)
            part.LoadElsewhere(elsewhere);
        if (!elsewhere.IsEmpty)
            await elsewhere.RunAsync(ct);
        if (transaction is not null)
            return [];
        return
        [
            .. changes.Where(change => change.IsMissed(this) || (change.Place is { } user
                ? Memberships.Find(change.ConversationId, user) is not null && !heldPlaces.Contains((change.ConversationId, user))
                : Conversations.Find(change.ConversationId) is not null && !held.Contains(change.ConversationId))),
        ];
    }

    // What clients count on from there, as the changes so far leave it.
    private ConversationValues MomentOf(Conversation conversation) => new()
    {
        LastSeq = conversation.LastSeq,
        LastActivityAt = conversation.LastActivityAt,
        ParticipantCount = conversation.ParticipantCount,
        Participants = [.. Memberships.FirstOf(conversation.Id).Select(user => new UserRef(user))],
    };

    private void Lock(
        Round round, IReadOnlyList<Change> changes, bool waits, HashSet<ConversationId> held, HashSet<(ConversationId, UserId)> heldPlaces)
    {
        IfAny(
            changes.Where(change => change.Place is null).Select(change => change.ConversationId.Value).Distinct().ToArray(),
            ids => round.Read(waits ? LockSql : TryLockSql, reader => held.Add(new(reader.GetGuid(0))), ids));
        IfAny(Memberships.OwnAsked, asked =>
        {
            var (ids, users) = Split(asked);
            round.Read(
                waits ? MembershipPart.LockSql : TryLockOwnSql,
                reader => heldPlaces.Add((new(reader.GetGuid(0)), new(reader.GetString(1)))), ids, users);
        });
        // Somebody's place, or a file, that was not to be had: all of the conversation comes again.
        foreach (var part in parts)
            part.Lock(round, waits, id => held.Remove(id));
    }

    private void Write(Round round)
    {
        foreach (var part in parts)
            part.Write(round);
        IfAny([.. events, .. parts.SelectMany(part => part.Events())], told => round.Add(
            AddEventsSql, Of(told, e => e.At.ToDateTimeUtc()), Of(told, e => e.ConversationId.Value), Of(told, e => e.No),
            Of(told, e => e.Seq), Of(told, e => e.Audience?.Value), Of(told, e => e.Type), Of(told, e => e.Values)));
        foreach (var part in parts)
            part.ReadBack(round);
    }
}
