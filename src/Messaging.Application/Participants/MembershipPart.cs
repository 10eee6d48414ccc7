using System.Data.Common;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Who takes part in conversations, and as what.</summary>
public sealed class MembershipPart : ChangePart
{
    // Places are locked only of conversations that are, which are named first. Index: pk_participants, pk_conversations.
    private const string TryLockSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN conversations c ON c.id = k.conversation_id
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF c SKIP LOCKED
        FOR NO KEY UPDATE OF p SKIP LOCKED
        """;

    /// <summary>Locks places; reading and settings hold them without the conversation. Index: pk_participants.</summary>
    public const string LockSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF p
        """;

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

    // Also who takes part no more. Index: pk_participants.
    private const string AllSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM participants p
        WHERE p.conversation_id = ANY($1::uuid[])
        """;

    private const string LockAllSql =
        $"""
        {AllSql}
        FOR NO KEY UPDATE OF p
        """;

    private const string TryLockAllSql = $"{LockAllSql} SKIP LOCKED";

    // The owner of conversations in which somebody's role is to change, and, where the owner goes, so many of those of whom the first
    // follows as may be needed. Index: pk_conversations, pk_participants, the people of one conversation: at most a group's size.
    private const string HeadsSql =
        $"""
        SELECT c.id AS conversation_id, h.user_id
        FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[]) AS k (conversation_id, goes, most, any_goes)
        JOIN conversations c ON c.id = k.conversation_id AND c.owner_id IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT c.owner_id AS user_id
            WHERE k.goes IS NULL
            UNION ALL
            (SELECT p.user_id
            FROM participants p
            WHERE p.conversation_id = c.id AND p.left_at IS NULL AND (k.any_goes OR k.goes = c.owner_id)
            ORDER BY {SuccessionSql.Line}
            LIMIT k.most)
        ) h
        """;

    private const string LockHeadsSql =
        $"""
        SELECT p.conversation_id, p.user_id
        FROM ({HeadsSql}) AS k
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        FOR NO KEY UPDATE OF p
        """;

    private const string TryLockHeadsSql = $"{LockHeadsSql} SKIP LOCKED";

    // Waits for those who are bringing the one who leaves into groups, and has others who want to see it first: nobody is brought into a
    // group after the leaving was answered. After the conversations' locks. Index: pk_users.
    private const string LockLeavingSql =
        """
        SELECT k.conversation_id, u.id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN users u ON u.id = k.user_id
        FOR UPDATE OF u
        """;

    private const string TryLockLeavingSql = $"{LockLeavingSql} SKIP LOCKED";

    private const string LoadColumns =
        """
        SELECT p.conversation_id, p.user_id, u.display_name, u.avatar_url, p.role, p.joined_at, p.joined_seq, p.last_sent_at,
            p.last_read_seq, p.last_delivered_seq, p.pending, coalesce(p.user_id = c.created_by, false) AS has_opened,
            p.shown_read_seq, p.shown_delivered_seq, p.cleared_seq, p.hidden_seq,
            p.archived_seq, p.starred_at, p.muted_until, p.show_read_receipts, p.settings::text
        """;

    private const string LoadTables =
        """
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        LEFT JOIN users u ON u.id = k.user_id
        """;

    // Under the locks. Index: pk_participants, pk_conversations, pk_users.
    private const string LoadSql =
        $"""
        {LoadColumns}, CASE WHEN k.counts THEN {UnreadSql.Messages} ELSE 0 END AS unread
        FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS k (conversation_id, user_id, counts)
        {LoadTables}
        """;

    private const string LoadHeadsSql =
        $"""
        {LoadColumns}, 0::bigint AS unread
        FROM ({HeadsSql}) AS k
        {LoadTables}
        """;

    // Under the conversations' locks, so that nobody comes or goes; pointers may move. Index: pk_participants, those of the conversations;
    // pk_conversations, pk_users.
    private const string LoadMembersSql =
        $"""
        {LoadColumns}, 0::bigint AS unread
        FROM unnest($1::uuid[]) AS k (conversation_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        LEFT JOIN users u ON u.id = p.user_id
        """;

    // Under the locks. Index: pk_participants.
    private const string PresentSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        """;

    // Under the locks. Index: pk_participants, from the first on.
    private const string FirstSql =
        """
        SELECT k.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::integer[]) AS k (conversation_id, most)
        CROSS JOIN LATERAL (
            SELECT user_id
            FROM participants
            WHERE conversation_id = k.conversation_id AND left_at IS NULL
            ORDER BY user_id
            LIMIT k.most
        ) p
        """;

    private readonly HashSet<(ConversationId Id, UserId User)> asked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> ownAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> memberAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> sendersAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> presentAsked = [];
    private readonly HashSet<ConversationId> firstAsked = [];
    private readonly HashSet<(ConversationId Id, UserId? Goes)> headsAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> leavingAsked = [];
    private readonly HashSet<ConversationId> daysAsked = [];
    private readonly HashSet<ConversationId> allAsked = [];
    private readonly HashSet<ConversationId> membersAsked = [];
    private readonly HashSet<(ConversationId, UserId)> held = [];
    private readonly HashSet<(ConversationId, UserId)> leavingHeld = [];
    private Action<ConversationId>? lost;
    private readonly Dictionary<(ConversationId Id, UserId User), Membership> places = [];
    private readonly Dictionary<(ConversationId Id, UserId User), (ParticipantRole Role, bool IsPending, ShownPointers? Shown)> stored = [];
    private readonly HashSet<(ConversationId Id, UserId User)> present = [];
    private readonly Dictionary<ConversationId, SortedSet<UserId>> first = [];
    private readonly Dictionary<(ConversationId Id, UserId User), Participant> gone = [];
    private readonly Dictionary<ConversationId, bool> archived = [];
    private readonly HashSet<Participant> changed = [];
    private readonly List<(Participant Who, long ClearedSeq)> arrivals = [];

    internal override ChangeStage Stage => ChangeStage.Membership;

    internal IReadOnlyCollection<ConversationId> DaysAsked => daysAsked;

    internal IReadOnlyCollection<(ConversationId Id, UserId User)> OwnAsked => ownAsked;

    internal IReadOnlyCollection<(Participant Who, long ClearedSeq)> Arrivals => arrivals;

    internal IReadOnlyDictionary<ConversationId, bool> Archived => archived;

    internal IReadOnlyCollection<Participant> Gone => gone.Values;

    /// <summary>Those who have made something else of their conversations.</summary>
    internal IReadOnlyCollection<Participant> Changed => changed;

    internal IReadOnlyCollection<Participant> WithAnotherRole =>
        [.. places.Where(place => place.Value.Participant.Role != stored[place.Key].Role).Select(place => place.Value.Participant)];

    /// <summary>Those of two who stand otherwise to each other.</summary>
    internal IReadOnlyCollection<Participant> WithAnotherStanding =>
    [
        .. places.Where(place => (place.Value.Participant.IsPending, place.Value.Participant.Shown)
            != (stored[place.Key].IsPending, stored[place.Key].Shown)).Select(place => place.Value.Participant),
    ];

    /// <summary>Asks for somebody's place, which is locked under the conversation's lock.</summary>
    public void Require(ConversationId id, UserId user) => asked.Add((id, user));

    /// <summary>Asks for somebody's place, which is locked without the conversation.</summary>
    public void RequireOwn(ConversationId id, UserId user) => ownAsked.Add((id, user));

    /// <summary>Asks for all who take part, whose pointers may move meanwhile.</summary>
    public void RequireMembers(ConversationId id) => membersAsked.Add(id);

    /// <summary>Asks for one who takes part, whose pointers may move meanwhile.</summary>
    public void RequireMember(ConversationId id, UserId user) => memberAsked.Add((id, user));

    /// <summary>Asks for the two of a direct conversation, whose places are locked.</summary>
    public void RequireBoth(ConversationId id)
    {
        allAsked.Add(id);
        membersAsked.Add(id);
    }

    /// <summary>Asks for the place of who is to send a message, and for what is unread there.</summary>
    public void RequireSender(ConversationId id, UserId user)
    {
        asked.Add((id, user));
        sendersAsked.Add((id, user));
    }

    /// <summary>Requires which of some users are participants.</summary>
    public void RequirePresent(ConversationId id, IEnumerable<UserId> users) => presentAsked.UnionWith(users.Select(user => (id, user)));

    /// <summary>Requires what a new message changes for all participants: nothing, except on a new day.</summary>
    public void RequireDay(ConversationId id) => daysAsked.Add(id);

    /// <summary>Requires the memberships of all current and former participants.</summary>
    public void RequireAll(ConversationId id) => allAsked.Add(id);

    /// <summary>Requires the participants that an event of the conversation lists.</summary>
    public void RequireFirst(ConversationId id) => firstAsked.Add(id);

    /// <summary>Requires a user who may leave, and the possible successors.</summary>
    /// <param name="byChoice">Whether the user leaves by choice, and must not be added to a group in the meantime.</param>
    public void RequireDeparture(ConversationId id, UserId user, bool byChoice)
    {
        asked.Add((id, user));
        headsAsked.Add((id, user));
        if (byChoice)
            leavingAsked.Add((id, user));
    }

    /// <summary>Requires a user whose role changes, and the owner.</summary>
    public void RequireRole(ConversationId id, UserId user)
    {
        asked.Add((id, user));
        headsAsked.Add((id, null));
    }

    /// <summary>A user's membership as earlier changes have left it; null for a user who is not a participant.</summary>
    public Membership? Find(ConversationId id, UserId user) => places.GetValueOrDefault((id, user));

    /// <summary>Those whose places are locked, who may follow an owner who goes among them.</summary>
    public IEnumerable<Participant> LockedOf(ConversationId id) =>
        places.Where(place => place.Key.Id == id && held.Contains(place.Key)).Select(place => place.Value.Participant);

    /// <summary>All who take part, or the two, as the changes before have left them, in the order of their ids.</summary>
    public IReadOnlyList<Participant> MembersOf(ConversationId id) =>
        [.. places.Where(place => place.Key.Id == id).Select(place => place.Value.Participant).OrderBy(one => one.UserId)];

    public HashSet<UserId> PresentOf(ConversationId id, IEnumerable<UserId> users) =>
        [.. users.Where(user => present.Contains((id, user)))];

    /// <summary>The first ten participants.</summary>
    public IEnumerable<UserId> FirstOf(ConversationId id) => first.TryGetValue(id, out var users) ? users.Take(10) : [];

    /// <summary>Leaves somebody to be written who takes part from now on.</summary>
    /// <param name="clearedSeq">Messages up to this seq are not that one's to see.</param>
    public void Arrive(Participant who, long clearedSeq)
    {
        arrivals.Add((who, clearedSeq));
        if (!first.TryGetValue(who.ConversationId, out var users))
            first[who.ConversationId] = users = [];
        users.Add(who.UserId);
    }

    /// <summary>Records that a conversation was archived for everyone, or unarchived.</summary>
    public void Archive(ConversationId id, bool archives) => archived[id] = archives;

    /// <summary>Leaves it to be written what somebody has made of a conversation.</summary>
    internal void Change(Participant who, OwnState own)
    {
        who.Change(own);
        changed.Add(who);
    }

    /// <summary>A message is unread for all but its sender.</summary>
    internal void Receive(ConversationId id, UserId? sender)
    {
        foreach (var ((of, user), place) in places)
        {
            if (of == id && user != sender)
                place.Participant.Received();
        }
    }

    /// <summary>Records that a user is no longer a participant.</summary>
    internal void Leave(Participant who)
    {
        var key = (who.ConversationId, who.UserId);
        gone[key] = who;
        places.Remove(key);
        present.Remove(key);
        first.GetValueOrDefault(who.ConversationId)?.Remove(who.UserId);
    }

    internal override void Lock(Round round, bool waits, Action<ConversationId> miss)
    {
        lost = miss;
        Columns.IfAny(asked, rows => Take(waits ? LockSql : TryLockSql, held, rows));
        if (HeadsAsked() is { Length: > 0 } heads)
            round.Read(waits ? LockHeadsSql : TryLockHeadsSql, reader => held.Add(Key(reader)), heads);
        TakeAll(round, AllSql, waits ? LockAllSql : TryLockAllSql, allAsked);
        Columns.IfAny(leavingAsked, rows => Take(waits ? LockLeavingSql : TryLockLeavingSql, leavingHeld, rows));

        void Take(string sql, HashSet<(ConversationId, UserId)> taken, IReadOnlyCollection<(ConversationId, UserId)> rows)
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(sql, reader => taken.Add(Key(reader)), ids, users);
        }
    }

    /// <summary>
    /// Adds what locks all who take part in some conversations, once a day: of which, is known after the first round trip.
    /// </summary>
    internal void LockMembers(Round round, bool waits, IReadOnlyCollection<ConversationId> conversations) =>
        TakeAll(round, MembersSql, waits ? LockMembersSql : TryLockMembersSql, conversations);

    internal override void Load(Round round)
    {
        LoadPlaces(round);
        Columns.IfAny(presentAsked, rows =>
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(PresentSql, reader => present.Add(Key(reader)), ids, users);
        });
        Columns.IfAny(firstAsked, rows => round.Read(
            FirstSql,
            reader =>
            {
                var (id, user) = Key(reader);
                if (!first.TryGetValue(id, out var users))
                    first[id] = users = [];
                users.Add(user);
            },
            Columns.Of(rows, id => id.Value), Columns.Of(rows, id => 10 + headsAsked.Count(asked => asked.Id == id))));
    }

    // All that a statement finds, which is read again to know what was not to be had.
    private void TakeAll(Round round, string sql, string locking, IReadOnlyCollection<ConversationId> conversations) => Columns.IfAny(
        conversations, rows =>
        {
            var (taken, ids) = (new HashSet<(ConversationId, UserId)>(), Columns.Of(rows, id => id.Value));
            round.Read(locking, reader => taken.Add(Key(reader)), ids);
            round.Read(
                sql,
                reader =>
                {
                    if (!taken.Contains(Key(reader)))
                        lost!(Key(reader).Id);
                },
                ids);
        });

    private void LoadPlaces(Round round)
    {
        Columns.IfAny(asked.Union(ownAsked).Union(memberAsked).ToList(), rows =>
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(
                LoadSql, reader => Read(reader, isLocked: asked.Contains(Key(reader))), ids, users,
                Columns.Of(rows, sendersAsked.Contains));
        });
        if (HeadsAsked() is { Length: > 0 } heads)
            round.Read(LoadHeadsSql, reader => Read(reader, isLocked: true), heads);
        Columns.IfAny(membersAsked, rows => round.Read(
            LoadMembersSql, reader => Read(reader, isLocked: false), Columns.Of(rows, id => id.Value)));

        void Read(DbDataReader reader, bool isLocked)
        {
            var (key, place) = (Key(reader), Membership.Read(reader));
            if (places.TryAdd(key, place))
                stored[key] = (place.Participant.Role, place.Participant.IsPending, place.Participant.Shown);
            if (isLocked && (!held.Contains(key) || (leavingAsked.Contains(key) && !leavingHeld.Contains(key))))
                lost!(key.Id);
        }
    }

    // None where nobody asks for them.
    private object[] HeadsAsked()
    {
        var rows = headsAsked.ToList();
        var counts = rows.CountBy(row => row.Id).ToDictionary();
        var changing = rows.Where(row => row.Goes is null).Select(row => row.Id).ToHashSet();
        return rows.Count == 0
            ? []
            :
            [
                Columns.Of(rows, row => row.Id.Value), Columns.Of(rows, row => row.Goes?.Value),
                Columns.Of(rows, row => counts[row.Id] + 1), Columns.Of(rows, row => changing.Contains(row.Id) && counts[row.Id] > 1),
            ];
    }

    private static (ConversationId Id, UserId User) Key(DbDataReader reader) => (new(reader.GetGuid(0)), new(reader.GetString(1)));
}
