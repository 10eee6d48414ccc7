using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>
/// Turns rows of conversations into what a viewer sees; the columns and the second read are the same for one and for a page.
/// </summary>
public sealed class ConversationViewStore(DbSession session, PolicySettings policies)
{
    /// <summary>The columns of <see cref="Row"/>, of a conversation <c>c</c> and the viewer's participation <c>p</c>.</summary>
    public const string Columns =
        $"""
        c.id, c.type, c.name, c.description, c.avatar_url, c.slug, c.owner_id, c.created_by, c.context_type, c.context_id, c.metadata,
        c.policy, c.participant_count, c.last_seq, c.last_activity_at, c.last_message_id, c.last_message_type, c.last_message_sender,
        c.last_message_text, c.closed_at, c.closed_by, c.closed_reason, c.closed_note, c.archived_at IS NOT NULL AS archived,
        c.created_at, c.updated_at, c.version, p.role, p.joined_at, p.last_read_seq, p.last_delivered_seq,
        {UnreadSql.Messages} AS unread_count, {UnreadSql.Mentions} AS mention_count, {SettingsView.Columns},
        coalesce(c.last_deleted_seq = c.last_seq, false) AS last_message_deleted,
        coalesce({VisibilitySql.NewestSeen}, true) AS last_message_seen, c.last_event_at AS counted_at
        """;

    // Index: pk_conversations, pk_participants, pk_message_hidden. The service sees every conversation, a user those they take part in.
    private const string OneSql =
        $"""
        SELECT {Columns}
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = c.id AND p.user_id = @UserId AND p.left_at IS NULL
        WHERE c.id = @ConversationId AND (@UserId::text IS NULL OR p.user_id IS NOT NULL)
        """;

    // Index: pk_conversations; pk_participants, at most ten rows of each conversation.
    private const string ParticipantsSql =
        $"""
        SELECT p.conversation_id, p.user_id, u.display_name, u.avatar_url, p.role, p.joined_at,
            {ParticipantViewStore.ShownRead} AS last_read_seq, {ParticipantViewStore.ShownDelivered} AS last_delivered_seq
        FROM unnest(@ConversationIds::uuid[]) AS ids (id)
        JOIN conversations c ON c.id = ids.id
        CROSS JOIN LATERAL (
            SELECT conversation_id, user_id, role, joined_at, last_read_seq, last_delivered_seq, show_read_receipts, shown_read_seq,
                shown_delivered_seq
            FROM participants
            WHERE conversation_id = ids.id AND left_at IS NULL
            ORDER BY user_id
            LIMIT 10
        ) p
        JOIN users u ON u.id = p.user_id
        ORDER BY p.user_id
        """;

    /// <summary>The conversation, or null where it is absent or not the viewer's to see.</summary>
    public async Task<ConversationView?> FindAsync(ConversationId id, Actor viewer, CancellationToken ct)
    {
        var rows = await session.QueryAsync<Row>(OneSql, new { ConversationId = id.Value, UserId = viewer.UserId?.Value }, ct);
        return (await ViewAsync(rows, viewer, ct)).SingleOrDefault();
    }

    /// <summary>
    /// The conversation as somebody sees it who has changed it just now: who has gone by now sees it as the service does; refuses what was
    /// deleted.
    /// </summary>
    public async Task<ConversationView> GetChangedAsync(ConversationId id, Actor actor, CancellationToken ct) =>
        await FindAsync(id, actor, ct) ?? await FindAsync(id, Actor.Service, ct) ?? throw CommonErrors.NotFound();

    public async Task<IReadOnlyList<ConversationView>> ViewAsync(IReadOnlyList<Row> rows, Actor viewer, CancellationToken ct)
    {
        if (rows.Count == 0)
            return [];
        var participants = await session.QueryAsync<ParticipantRow>(
            ParticipantsSql,
            new { ConversationIds = rows.Select(row => row.Id.Value).ToArray(), UserId = viewer.UserId?.Value, policies.Receipts },
            ct);
        var byConversation = participants.ToLookup(row => row.ConversationId);
        return [.. rows.Select(row => row.ToView(policies.With(row.Policy), byConversation[row.Id]))];
    }

    /// <summary>One row of <see cref="Columns"/>; what is the viewer's own is null for the service.</summary>
    public sealed record Row(
        ConversationId Id, ConversationType Type, string? Name, string? Description, string? AvatarUrl, string? Slug, UserId? OwnerId,
        UserId? CreatedBy, string? ContextType, string? ContextId, JsonText? Metadata, JsonText? Policy, int ParticipantCount, long LastSeq,
        Instant LastActivityAt, MessageId? LastMessageId, MessageType? LastMessageType, UserId? LastMessageSender, string? LastMessageText,
        Instant? ClosedAt, UserId? ClosedBy, string? ClosedReason, string? ClosedNote, bool Archived, Instant CreatedAt, Instant UpdatedAt,
        long Version, ParticipantRole? Role, Instant? JoinedAt, long? LastReadSeq, long? LastDeliveredSeq, long? UnreadCount,
        long? MentionCount, bool? OwnArchived, bool Starred, Instant? MutedUntil, bool? ShowReadReceipts, JsonText? Settings,
        long? ClearedSeq,
        bool Hidden, bool LastMessageDeleted, bool LastMessageSeen, Instant CountedAt)
    {
        public ConversationView ToView(ConversationPolicy policy, IEnumerable<ParticipantRow> participants) => new(
            Id, Type, Name, Description, AvatarUrl, Slug, OwnerId, CreatedBy,
            ContextType is null ? null : new ConversationContext(ContextType, ContextId!), Metadata, policy, ParticipantCount,
            [.. participants.Select(p => p.ToView())], LastSeq,
            LastMessageId is null || !LastMessageSeen
                ? null
                : new MessagePreview(
                    LastMessageId.Value, LastSeq, LastMessageType!.Value, LastMessageSender, LastMessageText, LastMessageDeleted,
                    LastActivityAt),
            LastActivityAt,
            ClosedAt is null ? null : new ClosedView(ClosedAt.Value, ClosedBy, ClosedReason!, ClosedNote),
            Archived, CreatedAt, UpdatedAt, Version,
            ToMe());

        private MembershipView? ToMe()
        {
            if (Role is null)
                return null;
            var own = SettingsView.Of(
                OwnArchived!.Value, Starred, MutedUntil, ShowReadReceipts!.Value, Settings, ClearedSeq!.Value, Hidden);
            return new MembershipView(
                Role.Value, UnreadCount!.Value, MentionCount!.Value, LastReadSeq!.Value, LastDeliveredSeq!.Value, JoinedAt!.Value,
                own.Archived, own.Starred, own.MutedUntil, own.NotificationLevel, own.ColorTag, own.CustomLabel, own.ShowReadReceipts,
                own.Desktop, own.Mobile, own.Sound, own.Draft, own.ClearedSeq, own.Hidden, CountedAt);
        }
    }

    /// <summary>One of the people of a row.</summary>
    public sealed record ParticipantRow(
        ConversationId ConversationId, UserId UserId, string? DisplayName, string? AvatarUrl, ParticipantRole Role, Instant JoinedAt,
        long? LastReadSeq, long? LastDeliveredSeq)
    {
        public ParticipantView ToView() => new(UserId, DisplayName, AvatarUrl, Role, JoinedAt, LastReadSeq, LastDeliveredSeq);
    }
}
