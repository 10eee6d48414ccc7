using System.Data.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>How far members have read and received.</summary>
public sealed class PointerPart(MembershipPart members) : ChangePart
{
    // Under the locks: in large groups, the sender of the newest message that is marked. Index: pk_conversations, pk_messages.
    private const string NewestSenderSql =
        $"""
        SELECT k.conversation_id, k.user_id, newest.sender_id
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS k (conversation_id, user_id, seq)
        JOIN conversations c ON c.id = k.conversation_id AND {ReceiptSql.IsLarge}
        CROSS JOIN LATERAL (
            SELECT m.sender_id
            FROM messages m
            WHERE m.conversation_id = c.id AND m.seq = least(k.seq, c.last_seq) AND m.created_at BETWEEN c.created_at AND c.last_activity_at
            LIMIT 1
        ) newest
        WHERE newest.sender_id IS NOT NULL
        """;

    // Index: pk_participants.
    private const string SaveSql =
        """
        UPDATE participants p
        SET last_read_seq = w.read_seq, last_delivered_seq = w.delivered_seq,
            last_read_at = CASE WHEN w.reads THEN w.at ELSE p.last_read_at END
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::timestamptz[])
            AS w (conversation_id, user_id, read_seq, delivered_seq, reads, at)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    private const string AddReadMarksSql =
        """
        INSERT INTO read_marks (conversation_id, user_id, seq, at)
        SELECT w.conversation_id, w.user_id, w.seq, w.at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS w (conversation_id, user_id, seq, at)
        ON CONFLICT DO NOTHING
        """;

    private const string AddDeliveredMarksSql =
        """
        INSERT INTO delivered_marks (conversation_id, user_id, seq, at)
        SELECT w.conversation_id, w.user_id, w.seq, w.at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS w (conversation_id, user_id, seq, at)
        ON CONFLICT DO NOTHING
        """;

    // A reader's own messages after a pointer that has moved back do not count as unread: they are found once, here. This runs after the
    // messages of the same batch are written, which may be among them, and within the database, since they may be many.
    // Index: pk_conversations; pk_messages, from the pointer on.
    private const string AddGapsSql =
        """
        INSERT INTO participant_gaps (conversation_id, user_id, seq)
        SELECT w.conversation_id, w.user_id, m.seq
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (conversation_id, user_id, seq)
        JOIN conversations c ON c.id = w.conversation_id
        JOIN messages m ON m.conversation_id = w.conversation_id AND m.seq >= w.seq AND m.sender_id = w.user_id
            AND m.created_at BETWEEN c.created_at AND c.last_activity_at
        ON CONFLICT DO NOTHING
        """;

    // After all writes and under the locks, so these are the counts once it is committed. Index: as for an unread count.
    private const string CountsSql =
        $"""
        SELECT p.conversation_id, p.user_id, {UnreadSql.Messages} AS messages, {UnreadSql.Mentions} AS mentions
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        JOIN conversations c ON c.id = k.conversation_id
        """;

    private readonly Dictionary<(ConversationId Id, UserId User), long> required = [];
    private readonly Dictionary<(ConversationId Id, UserId User), UserId> newestSenders = [];
    private readonly Dictionary<(ConversationId Id, UserId User), (Pointers Pointers, bool Reads, Instant At)> changed = [];
    private readonly Dictionary<(ConversationId Id, UserId User), PointerMove> moves = [];
    private readonly List<PointerMove> earlierMoves = [];
    private readonly Dictionary<(ConversationId Id, UserId User), (long Seq, Instant At)> moveBacks = [];
    private readonly List<Mark> read = [];
    private readonly List<Mark> delivered = [];
    private readonly Dictionary<(ConversationId, UserId), (long Messages, long Mentions)> counts = [];

    internal override ChangeStage Stage => ChangeStage.OwnState;

    /// <summary>Requires a membership, which is locked, and its unread counts once everything is written.</summary>
    /// <param name="seq">Where the pointers move to; null for the newest message.</param>
    public void Require(ConversationId id, UserId user, long? seq)
    {
        members.RequireOwn(id, user);
        required[(id, user)] = Math.Max(required.GetValueOrDefault((id, user)), seq ?? long.MaxValue);
    }

    /// <summary>In a large group, the sender of the newest message that is marked; null for the service.</summary>
    public UserId? NewestSenderOf(ConversationId id, UserId user) => newestSenders.TryGetValue((id, user), out var sender) ? sender : null;

    /// <summary>The unread counts of a required membership, once everything is written.</summary>
    public (long Messages, long Mentions) UnreadOf(ConversationId id, UserId user) => counts[(id, user)];

    /// <summary>The time of a move: later than the last time that a pointer of this membership moved back.</summary>
    public Instant TimeOf(ConversationId id, UserId user, Instant now) =>
        moveBacks.TryGetValue((id, user), out var back) && back.At >= now ? back.At + Duration.FromNanoseconds(1_000) : now;

    /// <summary>
    /// Records pointers that have moved forward. They are written and announced once per membership, however often they moved.
    /// </summary>
    internal void Add(PointerMove move)
    {
        var key = (move.ConversationId, move.UserId);
        moves[key] = moves.TryGetValue(key, out var earlier)
            ? move with { Reads = move.Reads || earlier.Reads, Receives = move.Receives || earlier.Receives }
            : move;
        changed[key] = (move.Pointers, move.Reads || changed.GetValueOrDefault(key).Reads, move.At);
    }

    /// <summary>
    /// Records a pointer that was moved back, which has an event of its own; earlier moves of the batch are still announced.
    /// </summary>
    internal void AddBack(PointerMove back)
    {
        var (key, seq, at) = ((back.ConversationId, back.UserId), back.ReadSeq + 1, back.At);
        if (moves.Remove(key, out var move))
            earlierMoves.Add(move);
        moveBacks[key] = (moveBacks.TryGetValue(key, out var earlier) ? Math.Min(earlier.Seq, seq) : seq, at);
        changed[key] = changed.TryGetValue(key, out var written) ? written : (back.Pointers, false, at);
        AddMarks(back);
    }

    /// <summary>Records that a sender has read everything before the sent message.</summary>
    internal void ReadBySending(ConversationId id, UserId user, MessagePosition position) =>
        read.Add(new(id, user, position.Seq - 1, position.At));

    internal override void Load(Round round) => Columns.IfAny(required, rows =>
    {
        var (ids, users) = Columns.Split(required.Keys);
        round.Read(
            NewestSenderSql, reader => newestSenders[Key(reader)] = new(reader.GetString(2)), ids, users,
            Columns.Of(rows, row => row.Value));
    });

    // After the messages: a sender has read up to the sent message, and moves on from there.
    internal override void Write(Round round)
    {
        foreach (var move in earlierMoves.Concat(moves.Values))
            AddMarks(move);
        Columns.IfAny(changed, rows => round.Add(
            SaveSql, Columns.Of(rows, row => row.Key.Id.Value), Columns.Of(rows, row => row.Key.User.Value),
            Columns.Of(rows, row => row.Value.Pointers.LastReadSeq),
            Columns.Of(rows, row => row.Value.Pointers.LastDeliveredSeq),
            Columns.Of(rows, row => row.Value.Reads), Columns.Of(rows, row => row.Value.At.ToDateTimeUtc())));
        WriteMarks(round, AddReadMarksSql, read);
        WriteMarks(round, AddDeliveredMarksSql, delivered);
        Columns.IfAny(moveBacks, rows =>
        {
            var (ids, users) = Columns.Split(moveBacks.Keys);
            round.Add(AddGapsSql, ids, users, Columns.Of(rows, row => row.Value.Seq));
            round.Add(MessagePart.MarkGapsSql, ids, users);
        });
    }

    internal override IEnumerable<EventRow> Events() => earlierMoves.Concat(moves.Values).SelectMany(move => move.Facts().Select(
        fact => new EventRow(
            move.At, move.ConversationId, No: null, Seq: null, fact.Event.Audience, fact.Event.Type,
            Outbox.Json(PointerValues.Of(move, fact)))));

    internal override void ReadBack(Round round) => Columns.IfAny(required.Keys, rows =>
    {
        var (ids, users) = Columns.Split(rows);
        round.Read(CountsSql, reader => counts[Key(reader)] = (reader.GetInt64(2), reader.GetInt64(3)), ids, users);
    });

    private static (ConversationId, UserId) Key(DbDataReader reader) => (new(reader.GetGuid(0)), new(reader.GetString(1)));

    private void AddMarks(PointerMove move)
    {
        if (move.Reads)
            read.Add(new(move.ConversationId, move.UserId, move.ReadSeq, move.At));
        if (move.Receives)
            delivered.Add(new(move.ConversationId, move.UserId, move.DeliveredSeq, move.At));
    }

    private static void WriteMarks(Round round, string sql, List<Mark> marks) => Columns.IfAny(marks, rows => round.Add(
        sql, Columns.Of(rows, m => m.Id.Value), Columns.Of(rows, m => m.User.Value), Columns.Of(rows, m => m.Seq),
        Columns.Of(rows, m => m.At.ToDateTimeUtc())));

    private readonly record struct Mark(ConversationId Id, UserId User, long Seq, Instant At);
}
