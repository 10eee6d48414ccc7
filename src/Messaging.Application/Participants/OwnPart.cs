using System.Data.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>What people have made of conversations for themselves.</summary>
public sealed class OwnPart(MembershipPart places) : ChangePart
{
    // Under the locks of the places. Index: pk_participants.
    private const string LoadSql =
        """
        SELECT p.conversation_id, p.user_id, p.cleared_seq, p.hidden_seq, p.archived_seq, p.starred_at, p.muted_until, p.show_read_receipts,
            p.settings::text
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        """;

    // Index: pk_participants.
    private const string SaveSql =
        """
        UPDATE participants p
        SET cleared_seq = w.cleared_seq, hidden_seq = w.hidden_seq, archived_seq = w.archived_seq, starred_at = w.starred_at::timestamptz,
            muted_until = w.muted_until::timestamptz, show_read_receipts = w.shows_reads, settings = w.preferences::jsonb
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::boolean[], $9::text[])
            AS w (conversation_id, user_id, cleared_seq, hidden_seq, archived_seq, starred_at, muted_until, shows_reads, preferences)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    private readonly HashSet<(ConversationId Id, UserId User)> asked = [];
    private readonly Dictionary<(ConversationId Id, UserId User), OwnState> states = [];
    private readonly HashSet<(ConversationId Id, UserId User)> changed = [];

    /// <summary>Asks for what somebody has made of a conversation; the place is locked.</summary>
    public void Require(ConversationId id, UserId user) => asked.Add((id, user));

    /// <summary>What somebody has made of a conversation, as the changes before have left it; null for who does not take part.</summary>
    public OwnState? Find(ConversationId id, UserId user) =>
        places.IsGone(id, user) ? null : states.GetValueOrDefault((id, user));

    internal IReadOnlyCollection<(ConversationId Id, UserId User)> Asked => asked;

    internal void Save(ConversationId id, UserId user, OwnState state)
    {
        states[(id, user)] = state;
        changed.Add((id, user));
    }

    internal override void Load(Round round) => Columns.IfAny(asked, rows =>
    {
        var (ids, users) = Columns.Split(rows);
        round.Read(LoadSql, Read, ids, users);
    });

    internal override void Write(Round round) => Columns.IfAny(changed, rows =>
    {
        var (ids, users) = Columns.Split(rows);
        round.Add(
            SaveSql, ids, users, Columns.Of(rows, key => states[key].ClearedSeq), Columns.Of(rows, key => states[key].HiddenSeq),
            Columns.Of(rows, key => states[key].ArchivedSeq), Columns.Of(rows, key => Columns.Text(states[key].StarredAt)),
            Columns.Of(rows, key => Columns.Text(states[key].MutedUntil)), Columns.Of(rows, key => states[key].ShowsReads),
            Columns.Of(rows, key => states[key].Preferences));
    });

    private void Read(DbDataReader reader)
    {
        states[(new(reader.GetGuid(0)), new(reader.GetString(1)))] = new OwnState(
            reader.GetInt64(2), Seq(3), Seq(4), Time(5), Time(6), reader.GetBoolean(7), reader.IsDBNull(8) ? null : reader.GetString(8));

        long? Seq(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

        Instant? Time(int column) => reader.IsDBNull(column) ? null : Instant.FromDateTimeUtc(reader.GetDateTime(column));
    }
}
