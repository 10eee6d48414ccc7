using System.Data.Common;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>The memberships that changes require, as they leave them.</summary>
public sealed class MembershipPart : ChangePart
{
    // Locks a membership only if its conversation, which comes first, can be locked too. Index: pk_participants, pk_conversations.
    private const string TryLockSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN conversations c ON c.id = k.conversation_id
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF c SKIP LOCKED
        FOR NO KEY UPDATE OF p SKIP LOCKED
        """;

    /// <summary>Locks memberships; pointers and settings lock them without the conversation. Index: pk_participants.</summary>
    public const string LockSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        FOR NO KEY UPDATE OF p
        """;

    // The first message of a day moves the conversation up in the inboxes of all participants. Index: pk_participants.
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

    // Including former participants. Index: pk_participants.
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

    // The owners of conversations in which a role changes and, if the owner leaves, as many of the possible successors as may be needed.
    // Index: pk_conversations, pk_participants, the participants of one conversation: at most a group's size.
    private const string OwnersSql =
        $"""
        SELECT c.id AS conversation_id, h.user_id
        FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[]) AS k (conversation_id, leaves, most, any_leaves)
        JOIN conversations c ON c.id = k.conversation_id AND c.owner_id IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT c.owner_id AS user_id
            WHERE k.leaves IS NULL
            UNION ALL
            (SELECT p.user_id
            FROM participants p
            WHERE p.conversation_id = c.id AND p.left_at IS NULL AND (k.any_leaves OR k.leaves = c.owner_id)
            ORDER BY {SuccessionSql.Line}
            LIMIT k.most)
        ) h
        """;

    private const string LockOwnersSql =
        $"""
        SELECT p.conversation_id, p.user_id
        FROM ({OwnersSql}) AS k
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        FOR NO KEY UPDATE OF p
        """;

    private const string TryLockOwnersSql = $"{LockOwnersSql} SKIP LOCKED";

    // Waits for others who are adding the leaving user to groups, and makes later ones wait: nobody is added to a group after leaving has
    // been answered. Taken after the conversations' locks. Index: pk_users.
    private const string LockLeavingSql =
        """
        SELECT k.conversation_id, u.id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN users u ON u.id = k.user_id
        FOR UPDATE OF u
        """;

    private const string TryLockLeavingSql = $"{LockLeavingSql} SKIP LOCKED";

    private const string StateColumns =
        """
        p.role, p.joined_at, p.joined_seq, p.last_sent_at, p.last_read_seq, p.last_delivered_seq, p.pending,
            coalesce(p.user_id = c.created_by, false) AS has_opened, p.shown_read_seq, p.shown_delivered_seq, p.cleared_seq, p.hidden_seq,
            p.archived_seq, p.starred_at, p.muted_until, p.show_read_receipts
        """;

    private const string LoadTables =
        """
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        LEFT JOIN users u ON u.id = k.user_id
        """;

    // Under the locks. Settings may hold a long draft: they are read only for those who change them. Index: pk_participants,
    // pk_conversations, pk_users.
    private const string LoadSql =
        $"""
        SELECT p.conversation_id, p.user_id, u.display_name, u.avatar_url, {StateColumns},
            CASE WHEN k.own THEN p.settings::text END AS settings, CASE WHEN k.counts THEN {UnreadSql.Messages} ELSE 0 END AS unread
        FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::boolean[]) AS k (conversation_id, user_id, counts, own)
        {LoadTables}
        """;

    private const string LoadOwnersSql =
        $"""
        SELECT p.conversation_id, p.user_id, u.display_name, u.avatar_url, {StateColumns}, NULL::text AS settings, 0::bigint AS unread
        FROM ({OwnersSql}) AS k
        {LoadTables}
        """;

    // Under the conversations' locks, so nobody joins or leaves; pointers may move. Nobody is shown by name. Index: pk_participants, those
    // of the conversations; pk_conversations.
    private const string LoadMembersSql =
        $"""
        SELECT p.conversation_id, p.user_id, NULL::text AS display_name, NULL::text AS avatar_url, {StateColumns}, NULL::text AS settings,
            0::bigint AS unread
        FROM unnest($1::uuid[]) AS k (conversation_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        """;

    // Under the locks. Index: pk_participants.
    private const string PresentSql =
        """
        SELECT p.conversation_id, p.user_id
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        """;

    // Under the locks. Index: pk_participants, in its order.
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

    private readonly HashSet<(ConversationId Id, UserId User)> required = [];
    private readonly HashSet<(ConversationId Id, UserId User)> ownRequired = [];
    private readonly HashSet<(ConversationId Id, UserId User)> sendersRequired = [];
    private readonly HashSet<(ConversationId Id, UserId User)> presentRequired = [];
    private readonly HashSet<ConversationId> firstRequired = [];
    private readonly HashSet<(ConversationId Id, UserId? Leaves)> ownersRequired = [];
    private readonly HashSet<(ConversationId Id, UserId User)> leavingRequired = [];
    private readonly HashSet<ConversationId> daysRequired = [];
    private readonly HashSet<ConversationId> allRequired = [];
    private readonly HashSet<ConversationId> membersRequired = [];
    private readonly HashSet<(ConversationId, UserId)> locked = [];
    private readonly HashSet<(ConversationId, UserId)> lockedUsers = [];
    private Action<ConversationId>? onMiss;
    private readonly Dictionary<(ConversationId Id, UserId User), Membership> memberships = [];
    private readonly Dictionary<(ConversationId Id, UserId User), (ParticipantRole Role, bool IsPending, ShownPointers? Shown)> stored = [];
    private readonly HashSet<(ConversationId Id, UserId User)> present = [];
    private readonly Dictionary<ConversationId, SortedSet<UserId>> first = [];
    private readonly Dictionary<(ConversationId Id, UserId User), Participant> departed = [];
    private readonly Dictionary<ConversationId, bool> archived = [];
    private readonly HashSet<Participant> changed = [];
    private readonly List<(Participant Who, long ClearedSeq)> arrivals = [];

    internal override ChangeStage Stage => ChangeStage.Membership;

    internal IReadOnlyCollection<ConversationId> DaysRequired => daysRequired;

    internal IReadOnlyCollection<(ConversationId Id, UserId User)> OwnRequired => ownRequired;

    internal IReadOnlyCollection<(Participant Who, long ClearedSeq)> Arrivals => arrivals;

    internal IReadOnlyDictionary<ConversationId, bool> Archived => archived;

    internal IReadOnlyCollection<Participant> Departed => departed.Values;

    /// <summary>The members whose own settings or state have changed.</summary>
    internal IReadOnlyCollection<Participant> Changed => changed;

    internal IReadOnlyCollection<Participant> WithChangedRole =>
        [.. memberships.Where(pair => pair.Value.Participant.Role != stored[pair.Key].Role).Select(pair => pair.Value.Participant)];

    /// <summary>Members of direct conversations who have been asked or have answered, or whose pointers are shown or withheld.</summary>
    internal IReadOnlyCollection<Participant> WithChangedSharing =>
    [
        .. memberships.Where(pair => (pair.Value.Participant.IsPending, pair.Value.Participant.Shown)
            != (stored[pair.Key].IsPending, stored[pair.Key].Shown)).Select(pair => pair.Value.Participant),
    ];

    /// <summary>Requires a membership, which is locked together with the conversation.</summary>
    public void Require(ConversationId id, UserId user) => required.Add((id, user));

    /// <summary>Requires a membership, which is locked without the conversation.</summary>
    public void RequireOwn(ConversationId id, UserId user) => ownRequired.Add((id, user));

    /// <summary>Requires all current members without locking them: their pointers may move meanwhile.</summary>
    public void RequireMembers(ConversationId id) => membersRequired.Add(id);

    /// <summary>Requires both members of a direct conversation, and locks them.</summary>
    public void RequireBoth(ConversationId id)
    {
        allRequired.Add(id);
        membersRequired.Add(id);
    }

    /// <summary>Requires a sender's membership, with the number of unread messages.</summary>
    public void RequireSender(ConversationId id, UserId user)
    {
        required.Add((id, user));
        sendersRequired.Add((id, user));
    }

    /// <summary>Requires which of some users are participants.</summary>
    public void RequirePresent(ConversationId id, IEnumerable<UserId> users) => presentRequired.UnionWith(users.Select(user => (id, user)));

    /// <summary>Requires what a new message changes for all participants: nothing, except on a new day.</summary>
    public void RequireDay(ConversationId id) => daysRequired.Add(id);

    /// <summary>Requires the memberships of all current and former participants.</summary>
    public void RequireAll(ConversationId id) => allRequired.Add(id);

    /// <summary>Requires the participants that an event of the conversation lists.</summary>
    public void RequireFirst(ConversationId id) => firstRequired.Add(id);

    /// <summary>Requires a user who may leave, and the possible successors.</summary>
    /// <param name="byChoice">Whether the user leaves by choice, and must not be added to a group in the meantime.</param>
    public void RequireDeparture(ConversationId id, UserId user, bool byChoice)
    {
        required.Add((id, user));
        ownersRequired.Add((id, user));
        if (byChoice)
            leavingRequired.Add((id, user));
    }

    /// <summary>Requires a user whose role changes, and the owner.</summary>
    public void RequireRole(ConversationId id, UserId user)
    {
        required.Add((id, user));
        ownersRequired.Add((id, null));
    }

    /// <summary>A user's membership as earlier changes have left it; null for a user who is not a participant.</summary>
    public Membership? Find(ConversationId id, UserId user) => memberships.GetValueOrDefault((id, user));

    /// <summary>The locked members; the possible successors of a leaving owner are among them.</summary>
    public IEnumerable<Participant> LockedOf(ConversationId id) =>
        memberships.Where(pair => pair.Key.Id == id && locked.Contains(pair.Key)).Select(pair => pair.Value.Participant);

    /// <summary>The members that were required, as earlier changes have left them, ordered by their ids.</summary>
    public IReadOnlyList<Participant> MembersOf(ConversationId id) =>
        [.. memberships.Where(pair => pair.Key.Id == id).Select(pair => pair.Value.Participant).OrderBy(one => one.UserId)];

    public HashSet<UserId> PresentOf(ConversationId id, IEnumerable<UserId> users) =>
        [.. users.Where(user => present.Contains((id, user)))];

    /// <summary>The first ten participants.</summary>
    public IEnumerable<UserId> FirstOf(ConversationId id) => first.TryGetValue(id, out var users) ? users.Take(10) : [];

    /// <summary>Records a new participant.</summary>
    /// <param name="clearedSeq">Messages up to this seq are hidden from the new participant.</param>
    public void Arrive(Participant who, long clearedSeq)
    {
        arrivals.Add((who, clearedSeq));
        if (!first.TryGetValue(who.ConversationId, out var users))
            first[who.ConversationId] = users = [];
        users.Add(who.UserId);
    }

    /// <summary>Records that a conversation was archived for everyone, or unarchived.</summary>
    public void Archive(ConversationId id, bool archives) => archived[id] = archives;

    /// <summary>Records a member's changed settings or state.</summary>
    internal void Change(Participant who, OwnState own)
    {
        who.Change(own);
        changed.Add(who);
    }

    /// <summary>Counts a message as unread for everyone but its sender.</summary>
    internal void Receive(ConversationId id, UserId? sender)
    {
        foreach (var ((conversation, user), membership) in memberships)
        {
            if (conversation == id && user != sender)
                membership.Participant.Received();
        }
    }

    /// <summary>Records that a user is no longer a participant.</summary>
    internal void Leave(Participant who)
    {
        var key = (who.ConversationId, who.UserId);
        departed[key] = who;
        memberships.Remove(key);
        present.Remove(key);
        first.GetValueOrDefault(who.ConversationId)?.Remove(who.UserId);
    }

    internal override void Lock(Round round, bool waits, Action<ConversationId> miss)
    {
        onMiss = miss;
        Columns.IfAny(required, rows => LockRows(waits ? LockSql : TryLockSql, locked, rows));
        if (OwnerValues() is { Length: > 0 } values)
            round.Read(waits ? LockOwnersSql : TryLockOwnersSql, reader => locked.Add(Key(reader)), values);
        LockAll(round, AllSql, waits ? LockAllSql : TryLockAllSql, allRequired);
        Columns.IfAny(leavingRequired, rows => LockRows(waits ? LockLeavingSql : TryLockLeavingSql, lockedUsers, rows));

        void LockRows(string sql, HashSet<(ConversationId, UserId)> found, IReadOnlyCollection<(ConversationId, UserId)> rows)
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(sql, reader => found.Add(Key(reader)), ids, users);
        }
    }

    /// <summary>
    /// Adds statements that lock all current members of the conversations whose first message of the day is sent; which these are is known
    /// after the first round trip.
    /// </summary>
    internal void LockMembers(Round round, bool waits, IReadOnlyCollection<ConversationId> conversations) =>
        LockAll(round, MembersSql, waits ? LockMembersSql : TryLockMembersSql, conversations);

    internal override void Load(Round round)
    {
        LoadMemberships(round);
        Columns.IfAny(presentRequired, rows =>
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(PresentSql, reader => present.Add(Key(reader)), ids, users);
        });
        Columns.IfAny(firstRequired, rows => round.Read(
            FirstSql,
            reader =>
            {
                var (id, user) = Key(reader);
                if (!first.TryGetValue(id, out var users))
                    first[id] = users = [];
                users.Add(user);
            },
            Columns.Of(rows, id => id.Value), Columns.Of(rows, id => 10 + ownersRequired.Count(row => row.Id == id))));
    }

    // Locks all rows that a statement finds, and reads them again to know which of them could not be locked.
    private void LockAll(Round round, string sql, string locking, IReadOnlyCollection<ConversationId> conversations) => Columns.IfAny(
        conversations, rows =>
        {
            var (found, ids) = (new HashSet<(ConversationId, UserId)>(), Columns.Of(rows, id => id.Value));
            round.Read(locking, reader => found.Add(Key(reader)), ids);
            round.Read(
                sql,
                reader =>
                {
                    if (!found.Contains(Key(reader)))
                        onMiss!(Key(reader).Id);
                },
                ids);
        });

    private void LoadMemberships(Round round)
    {
        Columns.IfAny(required.Union(ownRequired).ToList(), rows =>
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(
                LoadSql, reader => Read(reader, mustBeLocked: required.Contains(Key(reader))), ids, users,
                Columns.Of(rows, sendersRequired.Contains), Columns.Of(rows, ownRequired.Contains));
        });
        if (OwnerValues() is { Length: > 0 } values)
            round.Read(LoadOwnersSql, reader => Read(reader, mustBeLocked: true), values);
        Columns.IfAny(membersRequired, rows => round.Read(
            LoadMembersSql, reader => Read(reader, mustBeLocked: false), Columns.Of(rows, id => id.Value)));

        void Read(DbDataReader reader, bool mustBeLocked)
        {
            var (key, membership) = (Key(reader), Membership.Read(reader));
            if (memberships.TryAdd(key, membership))
                stored[key] = (membership.Participant.Role, membership.Participant.IsPending, membership.Participant.Shown);
            if (mustBeLocked && (!locked.Contains(key) || (leavingRequired.Contains(key) && !lockedUsers.Contains(key))))
                onMiss!(key.Id);
        }
    }

    // Empty if nothing is required.
    private object[] OwnerValues()
    {
        var rows = ownersRequired.ToList();
        var counts = rows.CountBy(row => row.Id).ToDictionary();
        var changing = rows.Where(row => row.Leaves is null).Select(row => row.Id).ToHashSet();
        return rows.Count == 0
            ? []
            :
            [
                Columns.Of(rows, row => row.Id.Value), Columns.Of(rows, row => row.Leaves?.Value),
                Columns.Of(rows, row => counts[row.Id] + 1), Columns.Of(rows, row => changing.Contains(row.Id) && counts[row.Id] > 1),
            ];
    }

    private static (ConversationId Id, UserId User) Key(DbDataReader reader) => (new(reader.GetGuid(0)), new(reader.GetString(1)));
}
