using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Participants;
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
    public ListInboxValidator()
    {
        RuleFor(q => q.Context).ValidContextParameter();
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
    }
}

public sealed class ListInboxHandler(DbSession session, ConversationViewStore views, LargeInboxCache notes)
    : IRequestHandler<ListInbox, Page<ConversationView>>
{
    private const string Filter =
        $"""
        {OwnStateSql.InInbox}
            AND (c.last_activity_at, c.id) < (@BeforeTime, @BeforeId)
            AND (@Type::text IS NULL OR c.type = @Type)
            AND (@ContextType::text IS NULL OR (c.context_type = @ContextType AND c.context_id = @ContextId))
            AND (@Pattern::text IS NULL OR c.name ILIKE @Pattern OR p.settings ->> 'customLabel' ILIKE @Pattern
                OR (c.type = 'direct' AND EXISTS (
                SELECT FROM participants other
                JOIN users u ON u.id = other.user_id
                WHERE other.conversation_id = c.id AND other.user_id <> @UserId AND u.display_name ILIKE @Pattern)))
        """;

    // The walks read each row once and carry it along.
    private const string Columns =
        """
        c.id, c.type, c.name, c.description, c.avatar_url, c.slug, c.owner_id, c.created_by, c.context_type, c.context_id, c.metadata,
                c.policy, c.participant_count, c.last_seq, c.last_activity_at, c.last_message_id, c.last_message_type,
                c.last_message_sender, c.last_message_text, c.last_deleted_seq, c.last_event_at, c.closed_at, c.closed_by, c.closed_reason,
                c.closed_note, c.archived_at, c.created_at, c.updated_at, c.version
        """;

    // Of the participant, or of a row that has carried them along.
    private const string OwnColumns =
        """
        conversation_id, user_id, role, joined_at, last_read_seq, last_delivered_seq, cleared_seq, has_gaps, archived_seq, muted_until,
                starred_at, show_read_receipts, settings, hidden_seq
        """;

    // Newest day first, until a page is full and its last day complete; only then the exact time decides. The inner LIMIT keeps it in the
    // order of the index, whatever the filter.
    private const string Days =
        $"""
        SELECT {ConversationViewStore.Columns}
        FROM (
            SELECT {Columns}, {OwnColumns}
            FROM participants p
            CROSS JOIN LATERAL (
                SELECT {Columns}
                FROM conversations c
                WHERE c.id = p.conversation_id AND {Filter} AND
        """;

    // What concerns the participant alone stands out here, where an index can be chosen by it.
    private const string DaysOfMine =
        """
                LIMIT 1) c
            WHERE p.user_id = @UserId AND p.left_at IS NULL AND p.activity_day <= (@BeforeTime AT TIME ZONE 'UTC')::date AND NOT p.pending
                AND
        """;

    private const string DaysRest =
        $"""
            ORDER BY p.activity_day DESC
            FETCH FIRST @Take ROWS WITH TIES
        ) c
        CROSS JOIN LATERAL (
            SELECT {OwnColumns}
        ) p
        ORDER BY c.last_activity_at DESC, c.id DESC
        LIMIT @Take
        """;

    // Where too many have the same day, every conversation has a place at its exact time: newest place first, no further than a page goes.
    private const string Places =
        $"""
        SELECT {ConversationViewStore.Columns}
        FROM inbox_places i
        CROSS JOIN LATERAL (
            SELECT {OwnColumns}
            FROM participants p
            WHERE p.conversation_id = i.conversation_id AND p.user_id = @UserId AND p.left_at IS NULL AND p.activity_day IS NOT NULL
                AND NOT p.pending AND
        """;

    private const string PlacesKept =
        $"""
            LIMIT 1
        ) p
        CROSS JOIN LATERAL (
            SELECT {Columns}
            FROM conversations c
            WHERE c.id = i.conversation_id AND {Filter} AND
        """;

    private const string PlacesOfMine =
        """
            LIMIT 1
        ) c
        WHERE i.user_id = @UserId AND (i.activity_at, i.conversation_id) < (@BeforeTime, @BeforeId) AND
        """;

    private const string PlacesRest =
        """
        ORDER BY i.activity_at DESC, i.conversation_id DESC
        LIMIT @Take
        """;

    // Asked once, before anything is walked. Of the two statements of a filter exactly one walks: a single one that does either takes
    // everybody 0.2 ms more, since all of its plan is made ready each time. Index: pk_large_inboxes.
    private const string HasPlaces = "(SELECT EXISTS (SELECT FROM large_inboxes l WHERE l.user_id = @UserId AND l.filled_at IS NOT NULL))";

    private const string Open = $"c.archived_at IS NULL AND NOT {OwnStateSql.Archived}";
    private const string Unread = $"{Open} AND {UnreadSql.Messages} > 0";
    private const string Archived = $"(c.archived_at IS NOT NULL OR {OwnStateSql.Archived})";
    private const string OwnArchived = "(p.archived_seq IS NOT NULL OR p.archived_for_all)";
    private const string Starred = "p.starred_at IS NOT NULL";

    // Few among many are found by an index of their own, and sorted.
    private const string Many = "FROM participants p WHERE p.user_id = @UserId AND p.left_at IS NULL AND";
    private const string HasManyStarred = $"({HasPlaces} AND (SELECT count(*) > 200 FROM (SELECT {Many} {Starred} LIMIT 201) s))";
    private const string HasManyArchived = $"({HasPlaces} AND (SELECT count(*) > 200 FROM (SELECT {Many} {OwnArchived} LIMIT 201) s))";

    // Index: ix_participants_inbox.
    private const string AllSql = $"{Days} {Open} {DaysOfMine} NOT {HasPlaces} {DaysRest}";

    // Index: ix_participants_inbox, past what is read.
    private const string UnreadPageSql = $"{Days} {Unread} {DaysOfMine} NOT {HasPlaces} {DaysRest}";

    // Index: ix_participants_starred.
    private const string StarredSql = $"{Days} true {DaysOfMine} {Starred} AND NOT {HasManyStarred} {DaysRest}";

    // Index: ix_participants_archived.
    private const string ArchivedSql = $"{Days} {Archived} {DaysOfMine} {OwnArchived} AND NOT {HasManyArchived} {DaysRest}";

    // Index: ix_inbox_places_newest, pk_participants, pk_conversations; so those after it, past what their filter leaves out.
    private const string AllPlacesSql = $"{Places} true {PlacesKept} {Open} {PlacesOfMine} {HasPlaces} {PlacesRest}";

    private const string UnreadPlacesSql = $"{Places} true {PlacesKept} {Unread} {PlacesOfMine} {HasPlaces} {PlacesRest}";

    private const string StarredPlacesSql = $"{Places} {Starred} {PlacesKept} true {PlacesOfMine} {HasManyStarred} {PlacesRest}";

    private const string ArchivedPlacesSql =
        $"{Places} {OwnArchived} {PlacesKept} {Archived} {PlacesOfMine} {HasManyArchived} {PlacesRest}";

    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public async Task<Page<ConversationView>> Handle(ListInbox query, CancellationToken ct)
    {
        var user = query.Actor.RequireUser();
        var rows = await WalkAsync(query, user, ct);
        if (rows.Count > query.Limit && DayOf(rows[0]) == DayOf(rows[^1]))
            notes.Suspect(user, DayOf(rows[0]));
        var page = Page.Of(rows, query.Limit, row => PageCursor.Encode(
            row.LastActivityAt.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), row.Id.ToString()));
        return new Page<ConversationView>(await views.ViewAsync(page.Items, query.Actor, ct), page.NextCursor);
    }

    // The statement that does not walk finds nothing, so who has nothing is asked for by both, and so is, once on this node, a large inbox.
    private async Task<List<ConversationViewStore.Row>> WalkAsync(ListInbox query, UserId user, CancellationToken ct)
    {
        var (days, places) = query.Filter switch
        {
            InboxFilter.Unread => (UnreadPageSql, UnreadPlacesSql),
            InboxFilter.Starred => (StarredSql, StarredPlacesSql),
            InboxFilter.Archived => (ArchivedSql, ArchivedPlacesSql),
            _ => (AllSql, AllPlacesSql),
        };
        var isLarge = query.Filter is InboxFilter.All or InboxFilter.Unread && notes.IsLarge(user);
        var (first, second) = isLarge ? (places, days) : (days, places);
        var (time, id) = query.Cursor is null ? (EndOfTime, Guid.Empty) : Decode(query.Cursor);
        var parameters = new
        {
            UserId = user.Value,
            BeforeTime = time,
            BeforeId = id,
            Type = query.Type?.ToString().ToLowerInvariant(),
            ContextType = query.Context?.Type,
            ContextId = query.Context?.Id,
            Pattern = query.Search is null ? null : "%" + LikePattern.Escape(query.Search) + "%",
            Take = query.Limit + 1,
        };
        var rows = await session.QueryAsync<ConversationViewStore.Row>(first, parameters, ct);
        if (rows.Count > 0)
            return rows;
        rows = await session.QueryAsync<ConversationViewStore.Row>(second, parameters, ct);
        if (second == places && rows.Count > 0)
            notes.Large(user);
        return rows;
    }

    private static LocalDate DayOf(ConversationViewStore.Row row) => row.LastActivityAt.InUtc().Date;

    private static (Instant Time, Guid Id) Decode(string cursor)
    {
        var parts = PageCursor.Decode(cursor, 2);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && Guid.TryParse(parts[1], out var id)
            && ticks <= EndOfTime.ToUnixTimeTicks()
            ? (Instant.FromUnixTimeTicks(ticks), id)
            : throw PageCursor.Malformed();
    }
}
