using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Writes the memberships that changes have created, changed or ended.</summary>
public sealed class MembershipWritePart(MembershipPart members, SendPart sends) : ChangePart
{
    // Index: pk_participants.
    private const string SaveSendersSql =
        """
        UPDATE participants p
        SET last_read_seq = w.seq, last_delivered_seq = w.seq, last_read_at = w.at, last_sent_at = w.at, activity_day = w.day
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::date[]) AS w (conversation_id, user_id, seq, at, day)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // Only locked rows. Index: pk_participants.
    private const string SaveDaysSql =
        """
        UPDATE participants p
        SET activity_day = w.day
        FROM unnest($1::uuid[], $2::date[]) AS w (conversation_id, day)
        WHERE p.conversation_id = w.conversation_id AND p.activity_day IS DISTINCT FROM w.day AND p.left_at IS NULL
        """;

    // Under the conversations' locks: nobody else is added and no message is sent meanwhile, so a new member starts with nothing unread.
    // A former member rejoins with new pointers and the previous settings.
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

    // By this flag it is found among archived conversations, also by a member who rejoins. Only locked rows. Index: pk_participants.
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

    // The settings stay, for a member who rejoins. Index: pk_participants.
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

    // Index: pk_participants.
    private const string SaveOwnSql =
        """
        UPDATE participants p
        SET cleared_seq = w.cleared_seq, hidden_seq = w.hidden_seq, archived_seq = w.archived_seq, starred_at = w.starred_at::timestamptz,
            muted_until = w.muted_until::timestamptz, show_read_receipts = w.shows_reads, settings = w.preferences::jsonb
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::boolean[], $9::text[])
            AS w (conversation_id, user_id, cleared_seq, hidden_seq, archived_seq, starred_at, muted_until, shows_reads, preferences)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // An accepted request appears in the inbox. Index: pk_participants, pk_conversations.
    private const string SaveSharingSql =
        """
        UPDATE participants p
        SET pending = w.pending, shown_read_seq = w.read_seq, shown_delivered_seq = w.delivered_seq,
            activity_day = CASE WHEN p.pending AND NOT w.pending THEN c.last_activity_day ELSE p.activity_day END
        FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])
            AS w (conversation_id, user_id, pending, read_seq, delivered_seq)
        JOIN conversations c ON c.id = w.conversation_id
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    internal override ChangeStage Stage => ChangeStage.Membership;

    internal override void Write(Round round)
    {
        WriteSends(round);
        WriteArrivals(round);
        Add(round, SaveRolesSql, members.WithChangedRole, Of(member => Name(member.Role)));
        Columns.IfAny(members.Archived, rows => round.Add(
            SaveArchivedSql, Columns.Of(rows, row => row.Key.Value), Columns.Of(rows, row => row.Value)));
        Add(
            round, LeaveSql, members.Departed, Of(member => member.LeftAt!.Value.ToDateTimeUtc()), Of(member => Name(member.Role)),
            Of(member => Columns.Text(member.Lockout?.Until)));
        Add(round, LeaveInboxSql, members.Departed);
        Add(
            round, SaveSharingSql, members.WithChangedSharing, Of(member => member.IsPending), Of(member => member.Shown?.ReadSeq),
            Of(member => member.Shown?.DeliveredSeq));
        Add(
            round, SaveOwnSql, members.Changed, Of(member => member.Own.ClearedSeq), Of(member => member.Own.HiddenSeq),
            Of(member => member.Own.ArchivedSeq), Of(member => Columns.Text(member.Own.StarredAt)),
            Of(member => Columns.Text(member.Own.MutedUntil)), Of(member => member.Own.ShowsReads), Of(member => member.Own.Preferences));
    }

    private void WriteArrivals(Round round) => Columns.IfAny(members.Arrivals, rows =>
    {
        var (ids, users) = (Columns.Of(rows, row => row.Who.ConversationId.Value), Columns.Of(rows, row => row.Who.UserId.Value));
        round.Add(
            ArriveSql, ids, users, Columns.Of(rows, row => Name(row.Who.Role)),
            Columns.Of(rows, row => row.Who.JoinedAt.ToDateTimeUtc()), Columns.Of(rows, row => row.Who.JoinedSeq),
            Columns.Of(rows, row => row.ClearedSeq));
        round.Add(InboxPlaceStore.AddSql, ids, users);
    });

    private void WriteSends(Round round)
    {
        Columns.IfAny(sends.LastOfSenders, last => round.Add(
            SaveSendersSql, Columns.Of(last, m => m.ConversationId.Value), Columns.Of(last, m => m.Sender!.Value.Value),
            Columns.Of(last, m => m.Position.Seq), Columns.Of(last, m => m.Position.At.ToDateTimeUtc()), Columns.Of(last, m => m.Day)));
        Columns.IfAny(sends.FirstOfDays, first => round.Add(
            SaveDaysSql, Columns.Of(first, m => m.ConversationId.Value), Columns.Of(first, m => m.Day)));
    }

    private static Func<IReadOnlyCollection<Participant>, object> Of<T>(Func<Participant, T> value) => rows => Columns.Of(rows, value);

    // A statement whose first two columns are the key of the membership.
    private static void Add(
        Round round, string sql, IReadOnlyCollection<Participant> rows, params Func<IReadOnlyCollection<Participant>, object>[] columns) =>
        Columns.IfAny(rows, _ => round.Add(
            sql,
            [
                Columns.Of(rows, member => member.ConversationId.Value), Columns.Of(rows, member => member.UserId.Value),
                .. columns.Select(column => column(rows)),
            ]));

    private static string Name(ParticipantRole role) => role.ToString().ToLowerInvariant();
}
