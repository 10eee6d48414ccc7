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
        NOT p.pending AND (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)
            AND (c.last_activity_at, c.id) < (@BeforeTime, @BeforeId)
            AND (@Type::text IS NULL OR c.type = @Type)
            AND (@ContextType::text IS NULL OR (c.context_type = @ContextType AND c.context_id = @ContextId))
            AND (@Pattern::text IS NULL OR c.name ILIKE @Pattern OR p.settings ->> 'customLabel' ILIKE @Pattern OR (c.type = 'direct' AND EXISTS (
                SELECT FROM participants other
                JOIN users u ON u.id = other.user_id
                WHERE other.conversation_id = c.id AND other.user_id <> @UserId AND u.display_name ILIKE @Pattern)))
        """;

    // Newest day first, until a page is full and its last day complete; only then the exact time decides. The inner LIMIT keeps the
    // walk in the order of the index, whatever the filter.
    private const string Walk =
        """
        WITH page AS MATERIALIZED (
            SELECT walked.id
            FROM (
                SELECT kept.id, kept.last_activity_at
                FROM participants p
                CROSS JOIN LATERAL (SELECT c.id, c.last_activity_at FROM conversations c WHERE c.id = p.conversation_id AND
        """;

    private const string Rest =
        $"""
                AND {Filter} LIMIT 1) kept
                WHERE p.user_id = @UserId AND p.left_at IS NULL AND p.activity_day <= (@BeforeTime AT TIME ZONE 'UTC')::date
                ORDER BY p.activity_day DESC
                FETCH FIRST @Take ROWS WITH TIES
            ) walked
            ORDER BY walked.last_activity_at DESC, walked.id DESC
            LIMIT @Take
        )
        SELECT {ConversationViewStore.Columns}
        FROM page
        JOIN conversations c ON c.id = page.id
        JOIN participants p ON p.conversation_id = page.id AND p.user_id = @UserId
        ORDER BY c.last_activity_at DESC, c.id DESC
        """;

    private const string Open = $"c.archived_at IS NULL AND NOT {UnreadSql.Archived}";

    // Index: ix_participants_inbox.
    private const string AllSql = $"{Walk} {Open} {Rest}";

    // Index: ix_participants_inbox, past what is read.
    private const string UnreadPageSql = $"{Walk} {Open} AND {UnreadSql.Messages} > 0 {Rest}";

    // Index: ix_participants_starred.
    private const string StarredSql = $"{Walk} p.starred_at IS NOT NULL {Rest}";

    // Index: ix_participants_archived.
    private const string ArchivedSql =
        $"{Walk} (p.archived_seq IS NOT NULL OR p.archived_for_all) AND (c.archived_at IS NOT NULL OR {UnreadSql.Archived}) {Rest}";

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
        return new Page<ConversationView>(await views.ViewAsync(page.Items, ct), page.NextCursor);
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
