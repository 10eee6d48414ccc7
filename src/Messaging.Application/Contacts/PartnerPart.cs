using System.Data.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Contacts;

/// <summary>The two of direct conversations, as they see each other.</summary>
public sealed class PartnerPart : ChangePart
{
    // Under the locks of their places. Index: pk_conversations, pk_participants.
    private const string LoadSql =
        """
        SELECT p.conversation_id, p.user_id, coalesce(p.user_id = c.created_by, false) AS has_opened, p.pending, p.show_read_receipts,
            p.last_read_seq, p.last_delivered_seq, p.shown_read_seq, p.shown_delivered_seq
        FROM conversations c
        JOIN participants p ON p.conversation_id = c.id
        WHERE c.id = ANY($1::uuid[])
        ORDER BY p.user_id
        """;

    // Who has accepted it finds it in the inbox from now on. Index: pk_participants, pk_conversations.
    private const string SaveSql =
        """
        UPDATE participants p
        SET pending = w.pending, shown_read_seq = w.read_seq, shown_delivered_seq = w.delivered_seq,
            activity_day = CASE WHEN p.pending AND NOT w.pending THEN c.last_activity_day ELSE p.activity_day END
        FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])
            AS w (conversation_id, user_id, pending, read_seq, delivered_seq)
        JOIN conversations c ON c.id = w.conversation_id
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    private readonly HashSet<ConversationId> asked = [];
    private readonly Dictionary<ConversationId, List<Loaded>> partners = [];

    /// <summary>Asks for the two of a direct conversation; their places have to be locked.</summary>
    public void Require(ConversationId id) => asked.Add(id);

    /// <summary>The two, as the changes before have left them.</summary>
    public IReadOnlyCollection<Partner> Of(ConversationId id) =>
        [.. partners.GetValueOrDefault(id, []).Select(row => row.Partner)];

    /// <summary>One of them has sent a message.</summary>
    internal void Sent(ConversationId id, UserId user, long seq) =>
        partners.GetValueOrDefault(id)?.Find(row => row.Partner.UserId == user)?.Partner.Sent(seq);

    internal override void Load(Round round) => Columns.IfAny(
        asked, ids => round.Read(LoadSql, Read, Columns.Of(ids, id => id.Value)));

    internal override void Write(Round round) => Columns.IfAny(
        partners.Values.SelectMany(two => two)
            .Where(row => (row.WasPending, row.WasShown) != (row.Partner.IsPending, row.Partner.Shown)).ToList(),
        rows => round.Add(
            SaveSql, Columns.Of(rows, row => row.Id.Value), Columns.Of(rows, row => row.Partner.UserId.Value),
            Columns.Of(rows, row => row.Partner.IsPending), Columns.Of(rows, row => row.Partner.Shown?.ReadSeq),
            Columns.Of(rows, row => row.Partner.Shown?.DeliveredSeq)));

    private void Read(DbDataReader reader)
    {
        var shown = reader.IsDBNull(8) ? null : new ShownPointers(reader.IsDBNull(7) ? null : reader.GetInt64(7), reader.GetInt64(8));
        var partner = new Partner(
            new UserId(reader.GetString(1)), hasOpened: reader.GetBoolean(2), isPending: reader.GetBoolean(3),
            showsReads: reader.GetBoolean(4),
            reader.GetInt64(5), reader.GetInt64(6), shown);
        var id = new ConversationId(reader.GetGuid(0));
        if (!partners.TryGetValue(id, out var two))
            partners[id] = two = [];
        two.Add(new Loaded(id, partner, partner.IsPending, shown));
    }

    private sealed record Loaded(ConversationId Id, Partner Partner, bool WasPending, ShownPointers? WasShown);
}
