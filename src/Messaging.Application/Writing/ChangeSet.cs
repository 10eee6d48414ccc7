using System.Data.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Application.Receipts;
using Messaging.Application.Saved;
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

    private readonly IReadOnlyList<ChangePart> parts;
    private readonly List<EventRow> events = [];

    public ChangeSet(PolicySettings policies, MessageDetailSet extras)
    {
        Messages = new MessagePart(extras);
        Sends = new SendPart(Messages);
        Conversations = new ConversationPart(policies, Sends);
        Profiles = new ProfilePart();
        Memberships = new MembershipPart(Sends);
        Bans = new BanPart();
        Acquaintances = new AcquaintancePart(policies);
        Newcomers = new NewcomerPart(Acquaintances);
        Pins = new PinPart();
        Reactions = new ReactionPart(Messages);
        Saved = new SavedPart(Messages);
        Members = new MemberPart(Memberships);
        Own = new OwnPart(Memberships);
        Pointers = new PointerPart(Memberships);
        Partners = new PartnerPart();
        parts =
        [
            Conversations, Profiles, Memberships, Bans, Acquaintances, Newcomers, Sends, Messages, Pins, Reactions, Saved, Members, Own,
            Pointers,
            Partners,
        ];
    }

    /// <summary>Whether nothing was sent yet that could be stored.</summary>
    public bool IsUnwritten { get; private set; } = true;

    /// <summary>The database's time, read under the locks.</summary>
    public Instant Now => Conversations.Now;

    public ConversationPart Conversations { get; }

    /// <summary>What conversations say of themselves.</summary>
    public ProfilePart Profiles { get; }

    /// <summary>Who takes part, as what.</summary>
    public MembershipPart Memberships { get; }

    public BanPart Bans { get; }

    public AcquaintancePart Acquaintances { get; }

    /// <summary>Who is to be let in.</summary>
    public NewcomerPart Newcomers { get; }

    /// <summary>Messages that are there already.</summary>
    public MessagePart Messages { get; }

    public PinPart Pins { get; }

    public ReactionPart Reactions { get; }

    /// <summary>What people have saved for themselves.</summary>
    public SavedPart Saved { get; }

    /// <summary>All who take part.</summary>
    public MemberPart Members { get; }

    /// <summary>What people have made of conversations for themselves.</summary>
    public OwnPart Own { get; }

    /// <summary>How far people have read and received.</summary>
    public PointerPart Pointers { get; }

    /// <summary>The two of direct conversations.</summary>
    public PartnerPart Partners { get; }

    /// <summary>New messages.</summary>
    public SendPart Sends { get; }

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

    /// <summary>Leaves a message to be written.</summary>
    public void Add(NewMessage message)
    {
        Sends.Add(message);
        if (message.Draft.Type is not MessageType.System)
            Memberships.Receive(message.ConversationId, message.Sender);
        if (message.Sender is { } sender)
        {
            MoveMember(message.ConversationId, sender, message.Position.Seq);
            Pointers.Sent(message.ConversationId, sender, message.Position.Seq, message.Position.At, message.HadUnread);
            Partners.Sent(message.ConversationId, sender, message.Position.Seq);
        }
        var (id, at) = (message.ConversationId, message.Position.At);
        events.Add(new(at, id, message.Position.EventNo, message.Position.Seq, Audience: null, MessageSent.Name, message.EventValues));
        if (message.HadUnread)
            events.Add(new(at, id, No: null, Seq: null, message.Sender, UnreadChanged.Name, Values: null));
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
    /// Leaves an event to be written of what is somebody's own, which has no place among those of the conversation. Told to its audience:
    /// one user, or everyone who takes part.
    /// </summary>
    public void RaiseOwn(IEvent fact, object? values, Instant? now = null) =>
        events.Add(new(now ?? Now, fact.ConversationId, No: null, Seq: null, fact.Audience, fact.Type, Outbox.Json(values)));

    /// <summary>Leaves what somebody has made of a conversation to be written.</summary>
    public void Save(Conversation conversation, UserId user, OwnState state)
    {
        if (Own.Find(conversation.Id, user) is { } before && before.ClearedSeq < state.ClearedSeq)
            ForgetOwn(conversation.Id, user, before.ClearedSeq, state.ClearedSeq);
        Own.Save(conversation.Id, user, state);
        Members.Change(conversation.Id, user, member => member with { ClearedSeq = state.ClearedSeq });
        Pointers.Find(conversation.Id, user)?.Pointers.Follow(state);
    }

    /// <summary>Leaves pointers that have moved forward to be written and told.</summary>
    public void Add(PointerMove move)
    {
        MoveMember(move.ConversationId, move.UserId, move.ReadSeq);
        Pointers.Add(move);
    }

    /// <summary>Leaves a read pointer to be written that was moved to before a message, which its own event tells.</summary>
    public void MarkUnread(PointerMove move)
    {
        Members.Change(move.ConversationId, move.UserId, member => member with { LastReadSeq = move.ReadSeq });
        Pointers.AddBack(move);
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
                ? (Pointers.Find(change.ConversationId, user) is not null || Own.Find(change.ConversationId, user) is not null)
                    && !heldPlaces.Contains((change.ConversationId, user))
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

    private void MoveMember(ConversationId id, UserId user, long readSeq) =>
        Members.Change(id, user, member => member with { LastReadSeq = Math.Max(member.LastReadSeq, readSeq) });

    private void Lock(
        Round round, IReadOnlyList<Change> changes, bool waits, HashSet<ConversationId> held, HashSet<(ConversationId, UserId)> heldPlaces)
    {
        IfAny(
            changes.Where(change => change.Place is null).Select(change => change.ConversationId.Value).Distinct().ToArray(),
            ids => round.Read(waits ? LockSql : TryLockSql, reader => held.Add(new(reader.GetGuid(0))), ids));
        IfAny(Pointers.Asked.Union(Own.Asked).ToList(), asked =>
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
