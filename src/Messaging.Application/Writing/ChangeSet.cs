using System.Data.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
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

    // Places are locked only of conversations that are, which are named first. Index: pk_participants, pk_conversations.
    private const string TryLockPlacesSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN conversations c ON c.id = k.conversation_id
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF c SKIP LOCKED
        FOR NO KEY UPDATE OF p SKIP LOCKED
        """;

    // Reading and settings hold a member's row without the conversation's. Index: pk_participants.
    private const string LockPlacesSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF p
        """;

    private const string TryLockOwnPlacesSql = $"{LockPlacesSql} SKIP LOCKED";

    // The first message of a day moves the conversation up for all who take part. Index: pk_participants.
    private const string MembersSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM participants p
        WHERE p.conversation_id = ANY($1::uuid[]) AND p.left_at IS NULL
        """;

    private const string LockMembersSql =
        $"""
        {MembersSql}
        FOR NO KEY UPDATE
        """;

    private const string TryLockMembersSql = $"{LockMembersSql} SKIP LOCKED";

    // Under the locks. Whether it has places is seen by one of them: with EXISTS a plan may read all there are.
    // Index: pk_conversations, pk_inbox_places.
    private const string ConversationsSql =
        $"""
        SELECT c.id, clock_timestamp() AS now,
            (SELECT true FROM inbox_places i WHERE i.conversation_id = c.id LIMIT 1) IS NOT NULL AS has_inbox_places,
            {ConversationStore.StateColumns}
        FROM conversations c
        WHERE c.id = ANY($1::uuid[])
        """;

    // Under the locks. Index: pk_participants, pk_conversations, pk_users.
    private const string PlacesSql =
        $"""
        SELECT p.conversation_id, p.user_id, p.role, p.joined_at, p.joined_seq, p.last_sent_at, u.display_name, u.avatar_url,
            {UnreadSql.Messages} AS unread
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        LEFT JOIN users u ON u.id = k.user_id
        """;

    // Under the locks. Index: pk_participants.
    private const string PresentSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        """;

    // Under the locks: the seq, the number and the time were drawn from the row as it is. Index: pk_conversations.
    private const string SaveConversationsSql =
        """
        UPDATE conversations c
        SET last_seq = w.seq, event_no = w.event_no, last_event_at = w.event_at, last_activity_at = w.at, last_activity_day = w.day,
            last_message_id = w.message_id, last_message_type = w.type, last_message_sender = w.sender_id, last_message_text = w.text
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::date[], $7::uuid[], $8::text[],
                $9::text[], $10::text[])
            AS w (id, seq, event_no, event_at, at, day, message_id, type, sender_id, text)
        WHERE c.id = w.id
        """;

    // Of those to which no message has come: the newest one may be shown otherwise. Index: pk_conversations.
    private const string SaveQuietSql =
        """
        UPDATE conversations c
        SET event_no = w.event_no, last_event_at = w.event_at,
            last_message_text = CASE WHEN w.is_shown_otherwise THEN w.text ELSE c.last_message_text END,
            last_deleted_seq = coalesce(w.deleted_seq, c.last_deleted_seq)
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::boolean[], $5::text[], $6::bigint[])
            AS w (id, event_no, event_at, is_shown_otherwise, text, deleted_seq)
        WHERE c.id = w.id
        """;

    // Of those who are in so many that their inbox is kept in order. Under the conversation's lock, as all that writes them, so nobody is
    // waited for. Index: pk_inbox_places.
    private const string SaveInboxPlacesSql =
        """
        UPDATE inbox_places i
        SET activity_at = w.at
        FROM unnest($1::uuid[], $2::timestamptz[]) AS w (conversation_id, at)
        WHERE i.conversation_id = w.conversation_id
        """;

    // Index: pk_participants.
    private const string SaveSendersSql =
        """
        UPDATE participants p
        SET last_read_seq = w.seq, last_delivered_seq = w.seq, last_read_at = w.at, last_sent_at = w.at, activity_day = w.day
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::date[]) AS w (conversation_id, user_id, seq, at, day)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // Of those who are locked. Index: pk_participants.
    private const string SaveDaysSql =
        """
        UPDATE participants p
        SET activity_day = w.day
        FROM unnest($1::uuid[], $2::date[]) AS w (conversation_id, day)
        WHERE p.conversation_id = w.conversation_id AND p.activity_day IS DISTINCT FROM w.day AND p.left_at IS NULL
        """;

    private const string AddEventsSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, event_no, seq, user_id, type, payload)
        SELECT w.at, w.conversation_id, w.event_no, w.seq, w.user_id, w.type, w.payload::jsonb
        FROM unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
            AS w (at, conversation_id, event_no, seq, user_id, type, payload)
        """;

    private readonly PolicySettings policies;
    private readonly IReadOnlyList<ChangePart> parts;
    private readonly HashSet<ConversationId> sendsAsked = [];
    private readonly HashSet<(ConversationId, UserId)> placesAsked = [];
    private readonly HashSet<(ConversationId, UserId)> presentAsked = [];

    private readonly Dictionary<ConversationId, Conversation> conversations = [];
    private readonly HashSet<ConversationId> inLargeInboxes = [];
    private readonly Dictionary<(ConversationId, UserId), Place> places = [];
    private readonly HashSet<(ConversationId, UserId)> present = [];

    private readonly HashSet<ConversationId> noted = [];
    private readonly List<EventRow> events = [];

    public ChangeSet(PolicySettings policies)
    {
        this.policies = policies;
        Messages = new MessagePart();
        Pins = new PinPart();
        Reactions = new ReactionPart(Messages);
        Members = new MemberPart();
        Own = new OwnPart();
        Pointers = new PointerPart();
        Sends = new SendPart(Messages);
        parts = [Sends, Messages, Pins, Reactions, Members, Own, Pointers];
    }

    /// <summary>Whether nothing was sent yet that could be stored.</summary>
    public bool IsUnwritten { get; private set; } = true;

    /// <summary>The database's time, read under the locks.</summary>
    public Instant Now { get; private set; }

    /// <summary>Messages that are there already.</summary>
    public MessagePart Messages { get; }

    public PinPart Pins { get; }

    public ReactionPart Reactions { get; }

    /// <summary>All who take part.</summary>
    public MemberPart Members { get; }

    /// <summary>What people have made of conversations for themselves.</summary>
    public OwnPart Own { get; }

    /// <summary>How far people have read and received.</summary>
    public PointerPart Pointers { get; }

    /// <summary>New messages.</summary>
    public SendPart Sends { get; }

    /// <summary>Asks for what a new message moves.</summary>
    public void AskSend(ConversationId id) => sendsAsked.Add(id);

    public void AskPlace(ConversationId id, UserId user) => placesAsked.Add((id, user));

    /// <summary>Asks for an actor's place; the service needs none.</summary>
    public void AskPlace(ConversationId id, Actor actor)
    {
        if (actor.UserId is { } user)
            AskPlace(id, user);
    }

    /// <summary>Asks which of some users take part.</summary>
    public void AskPresent(ConversationId id, IEnumerable<UserId> users) => presentAsked.UnionWith(users.Select(user => (id, user)));

    /// <summary>The conversation as the changes before have left it; refuses, as absent, what is not there.</summary>
    public Conversation Get(ConversationId id) => conversations.GetValueOrDefault(id) ?? throw CommonErrors.NotFound();

    /// <summary>The conversation and somebody's place in it; refuses, as absent, who does not take part.</summary>
    public (Conversation Conversation, Place Place) Get(ConversationId id, UserId user) =>
        (Get(id), places.GetValueOrDefault((id, user)) ?? throw CommonErrors.NotFound());

    /// <summary>The conversation and the actor's place in it, null for the service; refuses, as absent, who does not take part.</summary>
    public (Conversation Conversation, Place? Place) Get(ConversationId id, Actor actor) =>
        actor.UserId is { } user ? Get(id, user) : (Get(id), null);

    public HashSet<UserId> PresentOf(ConversationId id, IEnumerable<UserId> users) =>
        [.. users.Where(user => present.Contains((id, user)))];

    /// <summary>Leaves a message to be written.</summary>
    public void Add(NewMessage message)
    {
        Sends.Add(message);
        if (message.Sender is { } sender)
        {
            MoveMember(message.ConversationId, sender, message.Place.Seq);
            Pointers.Sent(message.ConversationId, sender, message.Place.Seq, message.Place.At, message.HadUnread);
        }
        var (id, at) = (message.ConversationId, message.Place.At);
        events.Add(new(at, id, message.Place.EventNo, message.Place.Seq, Audience: null, MessageSent.Name, message.Told));
        if (message.HadUnread)
            events.Add(new(at, id, No: null, Seq: null, message.Sender, UnreadChanged.Name, Values: null));
    }

    /// <summary>Leaves an event to be written, in its place among those of the conversation.</summary>
    /// <param name="values">What the event keeps of the moment; null for nothing.</param>
    /// <param name="now">Later than the batch's own time where that is needed.</param>
    public void Tell(Conversation conversation, IEvent fact, long? seq, object? values, Instant? now = null)
    {
        var place = conversation.Note(now ?? Now);
        noted.Add(conversation.Id);
        events.Add(new(place.At, conversation.Id, place.EventNo, seq, fact.Audience, fact.Type, Outbox.Json(values)));
    }

    /// <summary>Leaves an event to be written that one user alone is told, which has no place among those of the conversation.</summary>
    public void TellOwn(IEvent fact, object? values, Instant? now = null) =>
        events.Add(new(now ?? Now, fact.ConversationId, No: null, Seq: null, fact.Audience, fact.Type, Outbox.Json(values)));

    /// <summary>Leaves what somebody has made of a conversation to be written.</summary>
    public void Save(Conversation conversation, UserId user, OwnState state)
    {
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
    public void MarkUnread(ConversationId id, UserId user, long seq, bool reads, bool receives, Instant at)
    {
        Members.Change(id, user, member => member with { LastReadSeq = seq - 1 });
        Pointers.AddBack(id, user, seq, reads, receives, at);
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

    /// <summary>Decides and writes a change within a transaction that goes on; waits for what somebody else holds.</summary>
    public async Task RunAsync(DbConnection connection, DbTransaction transaction, Change change, CancellationToken ct)
    {
        await LoadAsync(connection, transaction, [change], waits: true, ct);
        change.Decide(this);
        await using var round = new Round(connection, transaction);
        Write(round);
        if (!round.IsEmpty)
            await round.RunAsync(ct);
        change.Complete(this);
    }

    private async Task<IReadOnlyList<Change>> LoadAsync(
        DbConnection connection, DbTransaction? transaction, IReadOnlyList<Change> changes, bool waits, CancellationToken ct)
    {
        foreach (var change in changes)
            change.Ask(this);
        await using var round = new Round(connection, transaction);
        if (transaction is null)
            round.Add(BeginSql);
        if (transaction is null && waits)
            round.Add(WaitSql);
        var held = new HashSet<ConversationId>();
        var heldPlaces = new HashSet<(ConversationId, UserId)>();
        Lock(round, changes, waits, held, heldPlaces);
        Load(round, changes, held, heldPlaces);
        await round.RunAsync(ct);

        await using var elsewhere = new Round(connection, transaction);
        LockMembersOfNewDays(elsewhere, waits, held, heldPlaces);
        foreach (var part in parts)
            part.LoadElsewhere(elsewhere);
        if (!elsewhere.IsEmpty)
            await elsewhere.RunAsync(ct);
        if (transaction is not null)
            return [];
        return
        [
            .. changes.Where(change => change.Place is { } user
                ? (Pointers.Find(change.ConversationId, user) is not null || Own.Find(change.ConversationId, user) is not null)
                    && !heldPlaces.Contains((change.ConversationId, user))
                : conversations.ContainsKey(change.ConversationId) && !held.Contains(change.ConversationId)),
        ];
    }

    private void MoveMember(ConversationId id, UserId user, long readSeq) =>
        Members.Change(id, user, member => member with { LastReadSeq = Math.Max(member.LastReadSeq, readSeq) });

    private void Lock(
        Round round, IReadOnlyList<Change> changes, bool waits, HashSet<ConversationId> held, HashSet<(ConversationId, UserId)> heldPlaces)
    {
        IfAny(
            changes.Where(change => change.Place is null).Select(change => change.ConversationId.Value).Distinct().ToArray(),
            ids => round.Read(waits ? LockSql : TryLockSql, reader => held.Add(new(reader.GetGuid(0))), ids));
        IfAny(placesAsked, asked => LockPlaces(asked, waits ? LockPlacesSql : TryLockPlacesSql));
        IfAny(
            Pointers.Asked.Union(Own.Asked).ToList(), asked => LockPlaces(asked, waits ? LockPlacesSql : TryLockOwnPlacesSql));
        // A file that was not to be had: all of the conversation comes again.
        foreach (var part in parts)
            part.Lock(round, waits, id => held.Remove(id));

        void LockPlaces(IReadOnlyCollection<(ConversationId, UserId)> asked, string sql)
        {
            var (ids, users) = Split(asked);
            round.Read(sql, reader => heldPlaces.Add(PlaceKey(reader)), ids, users);
        }
    }

    // Once a day and conversation, which is known only now. Somebody's place that was not to be had: all of the conversation comes again.
    private void LockMembersOfNewDays(
        Round round, bool waits, HashSet<ConversationId> held, HashSet<(ConversationId, UserId)> heldPlaces) => IfAny(
            sendsAsked.Where(id => held.Contains(id) && conversations[id].StartsDay(Now)).ToList(),
            asked =>
            {
                var ids = Of(asked, id => id.Value);
                round.Read(waits ? LockMembersSql : TryLockMembersSql, reader => heldPlaces.Add(PlaceKey(reader)), ids);
                round.Read(
                    MembersSql,
                    reader =>
                    {
                        if (!heldPlaces.Contains(PlaceKey(reader)))
                            held.Remove(PlaceKey(reader).Id);
                    },
                    ids);
            });

    // What was asked for, under the locks.
    private void Load(Round round, IReadOnlyList<Change> changes, HashSet<ConversationId> held, HashSet<(ConversationId, UserId)> heldPlaces)
    {
        round.Read(
            ConversationsSql,
            reader =>
            {
                var id = new ConversationId(reader.GetGuid(0));
                Now = Instant.FromDateTimeUtc(reader.GetDateTime(1));
                if (reader.GetBoolean(2))
                    inLargeInboxes.Add(id);
                conversations[id] = Conversation.Restore(id, ConversationStore.ReadState(reader, first: 3, policies));
            },
            changes.Select(change => change.ConversationId.Value).Distinct().ToArray());
        IfAny(placesAsked, asked =>
        {
            var (ids, users) = Split(asked);
            round.Read(
                PlacesSql,
                reader =>
                {
                    places[PlaceKey(reader)] = Place.Read(reader);
                    if (!heldPlaces.Contains(PlaceKey(reader)))
                        held.Remove(PlaceKey(reader).Id);
                },
                ids, users);
        });
        IfAny(presentAsked, asked =>
        {
            var (ids, users) = Split(asked);
            round.Read(PresentSql, reader => present.Add(PlaceKey(reader)), ids, users);
        });
        foreach (var part in parts)
            part.Load(round);
    }

    private static (ConversationId Id, UserId User) PlaceKey(DbDataReader reader) => (new(reader.GetGuid(0)), new(reader.GetString(1)));

    private void Write(Round round)
    {
        var newest = Sends.Newest;
        IfAny(newest, rows => round.Add(
            SaveConversationsSql, Of(rows, m => m.ConversationId.Value), Of(rows, m => m.Place.Seq),
            Of(rows, m => conversations[m.ConversationId].EventNo), Of(rows, m => conversations[m.ConversationId].LastEventAt.ToDateTimeUtc()),
            Of(rows, m => m.Place.At.ToDateTimeUtc()), Of(rows, m => m.Day), Of(rows, m => m.Id.Value), Of(rows, m => m.Type),
            Of(rows, m => m.Sender?.Value), Of(rows, m => m.Preview)));
        IfAny(newest.Where(m => inLargeInboxes.Contains(m.ConversationId)).ToList(), placed => round.Add(
            SaveInboxPlacesSql, Of(placed, m => m.ConversationId.Value), Of(placed, m => m.Place.At.ToDateTimeUtc())));
        IfAny(noted.Except(newest.Select(message => message.ConversationId)).Select(id => conversations[id]).ToList(), quiet => round.Add(
            SaveQuietSql, Of(quiet, c => c.Id.Value), Of(quiet, c => c.EventNo), Of(quiet, c => c.LastEventAt.ToDateTimeUtc()),
            Of(quiet, c => c.Preview is not null), Of(quiet, c => c.Preview?.Text), Of(quiet, c => c.Preview?.DeletedSeq)));
        IfAny(Sends.LastOfSenders, last => round.Add(
            SaveSendersSql, Of(last, m => m.ConversationId.Value), Of(last, m => m.Sender!.Value.Value), Of(last, m => m.Place.Seq),
            Of(last, m => m.Place.At.ToDateTimeUtc()), Of(last, m => m.Day)));
        IfAny(Sends.FirstOfDays, first => round.Add(SaveDaysSql, Of(first, m => m.ConversationId.Value), Of(first, m => m.Day)));
        foreach (var part in parts)
            part.Write(round);
        IfAny([.. events, .. parts.SelectMany(part => part.Events())], told => round.Add(
            AddEventsSql, Of(told, e => e.At.ToDateTimeUtc()), Of(told, e => e.ConversationId.Value), Of(told, e => e.No),
            Of(told, e => e.Seq), Of(told, e => e.Audience?.Value), Of(told, e => e.Type), Of(told, e => e.Values)));
        foreach (var part in parts)
            part.ReadBack(round);
    }
}
