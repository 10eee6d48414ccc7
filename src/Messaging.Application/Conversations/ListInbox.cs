using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

public enum InboxFilter
{
    All,
    Unread,
    Starred,
    Archived,
}

/// <summary>A user's conversations, the newest activity first.</summary>
/// <param name="Search">Part of a group's name or of the other one's name in a direct conversation.</param>
public sealed record ListInbox(
    Actor Actor, InboxFilter Filter, ConversationContext? Context, ConversationType? Type, string? Search, string? Cursor, int Limit)
    : IQuery<Page<ConversationView>>;

public sealed class ListInboxValidator : AbstractValidator<ListInbox>
{
    public ListInboxValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListInboxHandler(DbSession session, ConversationViewStore views) : IRequestHandler<ListInbox, Page<ConversationView>>
{
    private const string Filter =
        """
        (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)
            AND (c.last_activity_at, c.id) < (@BeforeTime, @BeforeId)
            AND (@Type::text IS NULL OR c.type = @Type)
            AND (@ContextType::text IS NULL OR (c.context_type = @ContextType AND c.context_id = @ContextId))
            AND (@Pattern::text IS NULL OR c.name ILIKE @Pattern OR p.settings ->> 'customLabel' ILIKE @Pattern OR (c.type = 'direct' AND EXISTS (
                SELECT FROM participants other
                JOIN users u ON u.id = other.user_id
                WHERE other.conversation_id = c.id AND other.user_id <> @UserId AND u.display_name ILIKE @Pattern)))
        """;

    // Newest day first, until a page is full and its last day complete; only then the exact time decides. The walk reads each row once and
    // carries it along. The inner LIMIT keeps it in the order of the index, whatever the filter.
    private const string Walk =
        $"""
        SELECT {ConversationViewStore.Columns}
        FROM (
            SELECT kept.id, kept.type, kept.name, kept.description, kept.avatar_url, kept.slug, kept.owner_id, kept.created_by, kept.context_type,
                kept.context_id, kept.metadata, kept.policy, kept.participant_count, kept.last_seq, kept.last_activity_at, kept.last_message_id,
                kept.last_message_type, kept.last_message_sender, kept.last_message_text, kept.last_deleted_seq, kept.last_event_at, kept.closed_at, kept.closed_by, kept.closed_reason,
                kept.closed_note, kept.archived_at, kept.created_at, kept.updated_at, kept.version, p.conversation_id, p.user_id, p.role,
                p.joined_at, p.last_read_seq, p.last_delivered_seq, p.cleared_seq, p.has_gaps, p.archived_seq, p.muted_until, p.starred_at,
                p.show_read_receipts, p.settings, p.hidden_seq
            FROM participants p
            CROSS JOIN LATERAL (
                SELECT c.id, c.type, c.name, c.description, c.avatar_url, c.slug, c.owner_id, c.created_by, c.context_type, c.context_id, c.metadata,
                    c.policy, c.participant_count, c.last_seq, c.last_activity_at, c.last_message_id, c.last_message_type, c.last_message_sender,
                    c.last_message_text, c.last_deleted_seq, c.last_event_at, c.closed_at, c.closed_by, c.closed_reason, c.closed_note, c.archived_at, c.created_at, c.updated_at,
                    c.version
                FROM conversations c
                WHERE c.id = p.conversation_id AND
        """;

    // What concerns the participant alone stands out here, where an index can be chosen by it.
    private const string Mine =
        $"""
                AND {Filter} LIMIT 1) kept
            WHERE p.user_id = @UserId AND p.left_at IS NULL AND p.activity_day <= (@BeforeTime AT TIME ZONE 'UTC')::date AND NOT p.pending
        """;

    private const string Rest =
        """
            ORDER BY p.activity_day DESC
            FETCH FIRST @Take ROWS WITH TIES
        ) c
        CROSS JOIN LATERAL (
            SELECT c.conversation_id, c.user_id, c.role, c.joined_at, c.last_read_seq, c.last_delivered_seq, c.cleared_seq, c.has_gaps,
                c.archived_seq, c.muted_until, c.starred_at, c.show_read_receipts, c.settings, c.hidden_seq
        ) p
        ORDER BY c.last_activity_at DESC, c.id DESC
        LIMIT @Take
        """;

    private const string Open = $"c.archived_at IS NULL AND NOT {UnreadSql.Archived}";

    // Index: ix_participants_inbox.
    private const string AllSql = $"{Walk} {Open} {Mine} {Rest}";

    // Index: ix_participants_inbox, past what is read.
    private const string UnreadPageSql = $"{Walk} {Open} AND {UnreadSql.Messages} > 0 {Mine} {Rest}";

    // Index: ix_participants_starred.
    private const string StarredSql = $"{Walk} true {Mine} AND p.starred_at IS NOT NULL {Rest}";

    // Index: ix_participants_archived.
    private const string ArchivedSql =
        $"{Walk} (c.archived_at IS NOT NULL OR {UnreadSql.Archived}) {Mine} AND (p.archived_seq IS NOT NULL OR p.archived_for_all) {Rest}";

    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public async Task<Page<ConversationView>> Handle(ListInbox query, CancellationToken ct)
    {
        var (time, id) = query.Cursor is null ? (EndOfTime, Guid.Empty) : Decode(query.Cursor);
        var rows = await session.QueryAsync<ConversationViewStore.Row>(
            query.Filter switch
            {
                InboxFilter.Unread => UnreadPageSql,
                InboxFilter.Starred => StarredSql,
                InboxFilter.Archived => ArchivedSql,
                _ => AllSql,
            },
            new
            {
                UserId = query.Actor.RequireUser().Value,
                BeforeTime = time,
                BeforeId = id,
                Type = query.Type?.ToString().ToLowerInvariant(),
                ContextType = query.Context?.Type,
                ContextId = query.Context?.Id,
                Pattern = query.Search is null ? null : "%" + LikePattern.Escape(query.Search) + "%",
                Take = query.Limit + 1,
            },
            ct);
        var page = Page.Of(rows, query.Limit, row => PageCursor.Encode(
            row.LastActivityAt.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), row.Id.ToString()));
        return new Page<ConversationView>(await views.ViewAsync(page.Items, query.Actor, ct), page.NextCursor);
    }

    private static (Instant Time, Guid Id) Decode(string cursor)
    {
        var parts = PageCursor.Decode(cursor, 2);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && Guid.TryParse(parts[1], out var id)
            && ticks <= EndOfTime.ToUnixTimeTicks()
            ? (Instant.FromUnixTimeTicks(ticks), id)
            : throw PageCursor.Malformed();
    }
}
