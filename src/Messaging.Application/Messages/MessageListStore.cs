using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Where a message stands.</summary>
public sealed record MessagePlace(ConversationId ConversationId, long Seq, Instant CreatedAt);

/// <summary>Reads messages of several places, as the viewer sees them; where they stand was found before.</summary>
public sealed class MessageListStore(DbSession session, PolicySettings policies, FileUrls urls)
{
    internal const string Places =
        "unnest(@ConversationIds::uuid[], @Seqs::bigint[], @Times::timestamptz[]) AS k (conversation_id, seq, created_at)";

    // What the viewer may not see is left out. The LIMIT keeps the planner from reading all messages of the conversations, to join them.
    // Index: pk_messages; pk_conversations; pk_participants; pk_message_hidden; pk_users for each sender; pk_messages for each replied one.
    internal const string MessagesSql =
        $"""
        SELECT {MessageViewStore.Columns}
        FROM {Places}
        JOIN conversations c ON c.id = k.conversation_id
        CROSS JOIN LATERAL (
            SELECT m.id, m.conversation_id, m.seq, m.type, m.sender_id, m.text, m.metadata, m.location, m.reference, m.mentions,
                m.client_message_id, m.reply_to_seq, m.edit_count, m.edited_at, m.deleted_at, m.deleted_by, m.deleted_reason, m.created_at,
                m.version
            FROM messages m
            WHERE m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
            LIMIT 1
        ) m
        LEFT JOIN participants v ON v.conversation_id = k.conversation_id AND v.user_id = @UserId AND v.left_at IS NULL
        {MessageViewStore.SenderJoin}
        LEFT JOIN LATERAL (
            SELECT o.id, o.seq, o.sender_id, CASE WHEN o.deleted_at IS NULL THEN left(o.text, 120) END AS preview,
                o.deleted_at IS NOT NULL AS deleted
            FROM messages o
            WHERE o.conversation_id = k.conversation_id AND o.seq = m.reply_to_seq AND (@UserId::text IS NULL OR (o.seq > v.cleared_seq
                AND NOT EXISTS (
                    SELECT FROM message_hidden h
                    WHERE h.conversation_id = o.conversation_id AND h.user_id = @UserId AND h.seq = o.seq)))
                AND o.created_at BETWEEN c.created_at AND CASE WHEN m.reply_to_seq IS NOT NULL THEN m.created_at END
            LIMIT 1
        ) r ON true
        WHERE @UserId::text IS NULL OR (m.seq > v.cleared_seq AND NOT EXISTS (
            SELECT FROM message_hidden h
            WHERE h.conversation_id = k.conversation_id AND h.user_id = @UserId AND h.seq = k.seq))
        """;

    // Index: ix_attachments_message.
    internal const string AttachmentsSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM {Places}
        JOIN attachments a ON a.conversation_id = k.conversation_id AND a.seq = k.seq AND NOT a.is_released
        ORDER BY a.conversation_id, a.seq, a.position
        """;

    // Index: pk_reaction_counts, pk_reactions.
    internal const string ReactionsSql =
        $"""
        SELECT e.conversation_id, e.seq, e.emoji, e.count, EXISTS (
            SELECT FROM reactions o
            WHERE o.conversation_id = e.conversation_id AND o.seq = e.seq AND o.user_id = @UserId AND o.emoji = e.emoji) AS mine, e.user_ids
        FROM {Places}
        JOIN reaction_counts e ON e.conversation_id = k.conversation_id AND e.seq = k.seq
        ORDER BY e.conversation_id, e.seq, e.first_at, e.emoji
        """;

    // Index: pk_pins.
    private const string PinsSql =
        $"""
        SELECT i.conversation_id, i.seq
        FROM {Places}
        JOIN pins i ON i.conversation_id = k.conversation_id AND i.seq = k.seq
        """;

    // Index: pk_participants, those of each conversation once.
    private const string PointersSql =
        $"""
        SELECT p.conversation_id, p.user_id, p.joined_seq, {ParticipantViewStore.ReadTold} AS last_read_seq,
            {ParticipantViewStore.DeliveredTold} AS last_delivered_seq
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.conversation_id = ANY(@ConversationIds::uuid[]) AND p.left_at IS NULL
        """;

    /// <summary>Those of the messages that the viewer may see, in the order of the places.</summary>
    public async Task<IReadOnlyList<MessageView>> ListAsync(IReadOnlyList<MessagePlace> places, Actor viewer, CancellationToken ct)
    {
        if (places.Count == 0)
            return [];
        return await session.QueryBatchAsync(
            MessagesSql + ";" + AttachmentsSql + ";" + ReactionsSql + ";" + PinsSql + ";" + PointersSql,
            new
            {
                ConversationIds = places.Select(place => place.ConversationId.Value).ToArray(),
                Seqs = places.Select(place => place.Seq).ToArray(),
                Times = places.Select(place => place.CreatedAt.ToDateTimeUtc()).ToArray(),
                UserId = viewer.UserId?.Value,
                policies.Receipts,
            },
            async grid =>
            {
                var rows = (await grid.ReadAsync<MessageViewStore.Row>()).ToDictionary(row => (row.ConversationId, row.Seq));
                var attachments = (await grid.ReadAsync<AttachmentRow>())
                    .ToLookup(row => (row.ConversationId, row.Seq!.Value), row => row.ToView(urls, UrlAudience.Caller));
                var reactions = (await grid.ReadAsync<ReactionRow>()).ToLookup(row => (row.ConversationId, row.Seq), row => row.ToView());
                var pins = (await grid.ReadAsync<PinRow>()).ToHashSet();
                var pointers = (await grid.ReadAsync<PointerRow>()).ToLookup(row => row.ConversationId, row => row.ToPointer());
                var pointersOf = pointers.ToDictionary(group => group.Key, group => group.ToArray());
                return (IReadOnlyList<MessageView>)
                [
                    .. places.Select(place => (place.ConversationId, place.Seq)).Where(rows.ContainsKey).Select(key => rows[key].ToView(
                        [.. attachments[key]], [.. reactions[key]], pins.Contains(new PinRow(key.ConversationId, key.Seq)),
                        pointersOf.GetValueOrDefault(key.ConversationId) ?? [])),
                ];
            },
            ct);
    }

    internal sealed record ReactionRow(ConversationId ConversationId, long Seq, string Emoji, int Count, bool Mine, string[] UserIds)
    {
        public ReactionView ToView() => new(Emoji, Count, Mine, [.. UserIds.Select(id => new UserId(id))]);
    }

    private sealed record PinRow(ConversationId ConversationId, long Seq);

    private sealed record PointerRow(ConversationId ConversationId, UserId UserId, long JoinedSeq, long? LastReadSeq, long? LastDeliveredSeq)
    {
        public MessageViewStore.PointerRow ToPointer() => new(UserId, JoinedSeq, LastReadSeq, LastDeliveredSeq, OwnDeliveredSeq: null);
    }
}
