using System.Data.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Participants of conversations, and their roles.</summary>
public sealed class MembershipPart(SendPart sends) : ChangePart
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

    // Under the locks. Index: pk_participants, pk_conversations, pk_users.
    private const string LoadColumns =
        "SELECT p.conversation_id, p.user_id, p.role, p.joined_at, p.joined_seq, p.last_sent_at, u.display_name, u.avatar_url";

    private const string LoadTables =
        """
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        LEFT JOIN users u ON u.id = k.user_id
        """;

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

    // Under the conversations' locks: nobody else is let in and no message is sent meanwhile, so one starts with nothing unread.
    // Somebody who was in before comes back with a new beginning, and with the own settings as they were.
    private const string ArriveSql =
        """
        INSERT INTO participants (conversation_id, user_id, role, joined_at, joined_seq, last_read_seq, last_delivered_seq, activity_day,
            cleared_seq)
        SELECT w.conversation_id, w.user_id, w.role, w.at, w.seq, w.seq, w.seq, c.last_activity_day, w.cleared_seq
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
            AS w (conversation_id, user_id, role, at, seq, cleared_seq)
        JOIN conversations c ON c.id = w.conversation_id
        ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET role = EXCLUDED.role, joined_at = EXCLUDED.joined_at, joined_seq = EXCLUDED.joined_seq, left_at = NULL, stays_out_until = NULL,
            last_read_seq = EXCLUDED.last_read_seq, last_delivered_seq = EXCLUDED.last_delivered_seq, activity_day = EXCLUDED.activity_day,
            cleared_seq = EXCLUDED.cleared_seq, hidden_seq = NULL
        """;

    // The mark is what finds it among archived ones, also for who comes back. Of those who are locked. Index: pk_participants.
    private const string SaveArchivedSql =
        """
        UPDATE participants p
        SET archived_for_all = w.archived
        FROM unnest($1::uuid[], $2::boolean[]) AS w (conversation_id, archived)
        WHERE p.conversation_id = w.conversation_id
        """;

    // Index: pk_participants.
    private const string SaveRolesSql =
        """
        UPDATE participants p
        SET role = w.role
        FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w (conversation_id, user_id, role)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // Who comes back finds the own settings as they were. Index: pk_participants.
    private const string LeaveSql =
        """
        UPDATE participants p
        SET left_at = w.at, role = w.role, stays_out_until = w.stays_out_until::timestamptz
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
            AS w (conversation_id, user_id, at, role, stays_out_until)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // Index: pk_inbox_places.
    private const string LeaveInboxSql =
        """
        DELETE FROM inbox_places i
        USING unnest($1::uuid[], $2::text[]) AS w (conversation_id, user_id)
        WHERE i.conversation_id = w.conversation_id AND i.user_id = w.user_id
        """;

    private readonly HashSet<(ConversationId Id, UserId User)> asked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> sendersAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> presentAsked = [];
    private readonly HashSet<ConversationId> firstAsked = [];
    private readonly HashSet<(ConversationId Id, UserId? Goes)> headsAsked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> leavingAsked = [];
    private readonly HashSet<ConversationId> daysAsked = [];
    private readonly HashSet<ConversationId> allAsked = [];
    private readonly HashSet<(ConversationId, UserId)> held = [];
    private readonly HashSet<(ConversationId, UserId)> leavingHeld = [];
    private Action<ConversationId>? lost;
    private readonly Dictionary<(ConversationId Id, UserId User), Membership> places = [];
    private readonly Dictionary<(ConversationId Id, UserId User), ParticipantRole> roles = [];
    private readonly HashSet<(ConversationId Id, UserId User)> present = [];
    private readonly Dictionary<ConversationId, SortedSet<UserId>> first = [];
    private readonly Dictionary<(ConversationId Id, UserId User), Participant> gone = [];
    private readonly Dictionary<ConversationId, bool> archived = [];
    private readonly List<(Participant Who, long ClearedSeq)> arrivals = [];

    internal IReadOnlyCollection<ConversationId> DaysAsked => daysAsked;

    /// <summary>Requires a user's membership, which is locked.</summary>
    public void Require(ConversationId id, UserId user) => asked.Add((id, user));

    /// <summary>Requires a sender's membership, with the unread count.</summary>
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

    /// <summary>The required memberships, including possible successors of a leaving owner.</summary>
    public IEnumerable<Participant> Of(ConversationId id) =>
        places.Where(place => place.Key.Id == id).Select(place => place.Value.Participant);

    public HashSet<UserId> PresentOf(ConversationId id, IEnumerable<UserId> users) =>
        [.. users.Where(user => present.Contains((id, user)))];

    /// <summary>The first ten participants.</summary>
    public IEnumerable<UserId> FirstOf(ConversationId id) => first.TryGetValue(id, out var users) ? users.Take(10) : [];

    /// <summary>Whether a user was removed or left by an earlier change.</summary>
    public bool IsGone(ConversationId id, UserId user) => gone.ContainsKey((id, user));

    /// <summary>Adds a new participant to be written.</summary>
    /// <param name="clearedSeq">Messages up to this seq are hidden from this user.</param>
    public void Arrive(Participant who, long clearedSeq)
    {
        arrivals.Add((who, clearedSeq));
        if (!first.TryGetValue(who.ConversationId, out var users))
            first[who.ConversationId] = users = [];
        users.Add(who.UserId);
    }

    /// <summary>Records that a conversation was archived for everyone, or unarchived.</summary>
    public void Archive(ConversationId id, bool archives) => archived[id] = archives;

    /// <summary>Counts a message as unread for everyone except its sender.</summary>
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
        Columns.IfAny(asked, rows =>
        {
            var (ids, users) = Columns.Split(rows);
            round.Read(LoadSql, Read, ids, users, Columns.Of(rows, sendersAsked.Contains));
        });
        if (HeadsAsked() is { Length: > 0 } heads)
            round.Read(LoadHeadsSql, Read, heads);

        void Read(DbDataReader reader)
        {
            var (key, place) = (Key(reader), Membership.Read(reader));
            if (places.TryAdd(key, place))
                roles[key] = place.Participant.Role;
            if (!held.Contains(key) || (leavingAsked.Contains(key) && !leavingHeld.Contains(key)))
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

    internal override void Write(Round round)
    {
        Columns.IfAny(sends.LastOfSenders, last => round.Add(
            SaveSendersSql, Columns.Of(last, m => m.ConversationId.Value), Columns.Of(last, m => m.Sender!.Value.Value),
            Columns.Of(last, m => m.Position.Seq), Columns.Of(last, m => m.Position.At.ToDateTimeUtc()), Columns.Of(last, m => m.Day)));
        Columns.IfAny(places.Where(place => place.Value.Participant.Role != roles[place.Key]).ToList(), changed => round.Add(
            SaveRolesSql, Columns.Of(changed, place => place.Key.Id.Value), Columns.Of(changed, place => place.Key.User.Value),
            Columns.Of(changed, place => Word(place.Value.Participant.Role))));
        Columns.IfAny(arrivals, rows =>
        {
            var (ids, users) = (Columns.Of(rows, row => row.Who.ConversationId.Value), Columns.Of(rows, row => row.Who.UserId.Value));
            round.Add(
                ArriveSql, ids, users, Columns.Of(rows, row => Word(row.Who.Role)),
                Columns.Of(rows, row => row.Who.JoinedAt.ToDateTimeUtc()), Columns.Of(rows, row => row.Who.JoinedSeq),
                Columns.Of(rows, row => row.ClearedSeq));
            round.Add(InboxPlaceStore.AddSql, ids, users);
        });
        Columns.IfAny(archived, rows => round.Add(
            SaveArchivedSql, Columns.Of(rows, row => row.Key.Value), Columns.Of(rows, row => row.Value)));
        Columns.IfAny(gone, rows =>
        {
            var (ids, users) = Columns.Split(gone.Keys);
            round.Add(
                LeaveSql, ids, users, Columns.Of(rows, row => row.Value.LeftAt!.Value.ToDateTimeUtc()),
                Columns.Of(rows, row => Word(row.Value.Role)), Columns.Of(rows, row => Columns.Text(row.Value.Lockout?.Until)));
            round.Add(LeaveInboxSql, ids, users);
        });
        Columns.IfAny(sends.FirstOfDays, first => round.Add(
            SaveDaysSql, Columns.Of(first, m => m.ConversationId.Value), Columns.Of(first, m => m.Day)));
    }

    private static string Word(ParticipantRole role) => role.ToString().ToLowerInvariant();

    private static (ConversationId Id, UserId User) Key(DbDataReader reader) => (new(reader.GetGuid(0)), new(reader.GetString(1)));
}
