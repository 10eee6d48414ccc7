using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Search;

/// <summary>Messages of one's own conversations in which all the words stand, the newest first.</summary>
/// <param name="Q">1 to 200 characters, at most 16 words: words, phrases in double quotes; the last word may be the beginning of
/// one.</param>
/// <param name="From">The first moment that counts.</param>
/// <param name="To">The first moment that counts no more.</param>
public sealed record SearchMessages(
    Actor Actor, string? Q, ConversationId? ConversationId, UserId? SenderId, Instant? From, Instant? To, string? Cursor, int Limit)
    : IQuery<Page<FoundMessage>>;

/// <summary>A message that was found, with the matching places.</summary>
public sealed record FoundMessage(MessageView Message, Highlight Highlight);

public sealed class SearchMessagesValidator : AbstractValidator<SearchMessages>
{
    public SearchMessagesValidator()
    {
        RuleFor(q => q.Q)
            .Must(q => q is { Length: > 0 } && StrictText.Length(q) <= 200 && StrictText.IsStorable(q))
            .WithMessage("A text of 1 to 200 characters is expected.");
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
    }
}

public sealed class SearchMessagesHandler(
    DbSession session, SearchLane lane, WordStore words, MessageReader messages, ConversationStore conversations)
    : IRequestHandler<SearchMessages, Page<FoundMessage>>
{
    // Index: ix_participants_inbox, pk_conversations.
    private const string ConversationsSql =
        $"""
        SELECT c.id, c.created_at, c.last_activity_at
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.user_id = @UserId AND {VisibilitySql.Hears} AND {VisibilitySql.AnyReached}
            AND (@ConversationId::uuid IS NULL OR p.conversation_id = @ConversationId)
        """;

    // How common the words are decides between three plans, so this one statement is planned for its values.
    private const string PlanSql =
        """
        SELECT set_config('plan_cache_mode', 'force_custom_plan', true)
        """;

    // Index: ix_messages_words for rare words, pk_messages for common ones, or both together. Hits first, the newest after: a plan that
    // walks in their order would read everything for a rare word. Then pk_participants and pk_message_hidden until the page is full.
    private const string HitsSql =
        $"""
        WITH hits AS MATERIALIZED (
            SELECT m.conversation_id, m.seq, m.created_at
            FROM messages m
            WHERE m.conversation_id = ANY(@ConversationIds) AND to_tsvector('simple', message_plain(m.text)) @@ @Query::tsquery
                AND m.created_at >= @Start AND m.created_at < @End AND (m.created_at, m.conversation_id) < (@BeforeTime, @BeforeId)
                AND m.deleted_at IS NULL AND m.type <> 'system' AND (@SenderId::text IS NULL OR m.sender_id = @SenderId)
        )
        SELECT m.conversation_id, m.seq, m.created_at
        FROM (
            SELECT hits.conversation_id, hits.seq, hits.created_at
            FROM hits
            ORDER BY hits.created_at DESC, hits.conversation_id DESC
        ) m
        JOIN LATERAL (
            SELECT p.conversation_id
            FROM participants p
            WHERE p.conversation_id = m.conversation_id AND p.user_id = @UserId AND {VisibilitySql.Hears} AND {VisibilitySql.Seen}
            LIMIT 1
        ) mine ON true
        ORDER BY m.created_at DESC, m.conversation_id DESC
        LIMIT @Take
        """;

    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public Task<Page<FoundMessage>> Handle(SearchMessages query, CancellationToken ct) =>
        lane.RunAsync(query.Actor, serviceKeyId: null, session, token => SearchAsync(query, token), ct);

    private async Task<Page<FoundMessage>> SearchAsync(SearchMessages query, CancellationToken ct)
    {
        var user = query.Actor.RequireUser();
        var before = query.Cursor is null ? new Before(EndOfTime, Guid.Empty) : Before.Decode(query.Cursor);
        var terms = await words.TermsAsync(SearchText.Parse(query.Q!), ct);
        if (terms.Count == 0)
            throw CommonErrors.Invalid("q", "At least one word is expected: letters or digits.");
        SearchTerm.EnsureFew(terms);

        var mine = await session.QueryAsync<Span>(
            ConversationsSql, new { UserId = user.Value, ConversationId = query.ConversationId?.Value }, ct);
        if (mine.Count == 0 && query.ConversationId is { } id)
            await conversations.GetAsync(id, query.Actor, ct);
        var hits = await FindAsync(query, user, before, terms, mine, ct);

        var page = Page.Of(hits, query.Limit, hit => new Before(hit.CreatedAt, hit.ConversationId.Value).Encode());
        var found = (await messages.ListAsync(page.Items, query.Actor, ct)).Where(message => message is { Text: not null, Deleted: null })
            .ToList();
        var excerpts = found.ConvertAll(message => Excerpt.Of(message.Text!, terms));
        var places = await words.FindAsync(excerpts.ConvertAll(excerpt => excerpt.Around), terms, ct);
        return new Page<FoundMessage>(
            [.. found.Select((message, i) => new FoundMessage(message, Highlight.Of(excerpts[i], [.. places[i]], terms)))],
            page.NextCursor);
    }

    // The newest day first, then longer and longer spans: a common word fills the page at once, a rare one, of which nothing is there yet,
    // is soon at the end.
    private async Task<List<MessageKey>> FindAsync(
        SearchMessages query, UserId user, Before before, IReadOnlyList<SearchTerm> terms, List<Span> mine, CancellationToken ct)
    {
        var hits = new List<MessageKey>();
        if (mine.Count == 0)
            return hits;
        var first = Later(query.From ?? Instant.MinValue, mine.Min(span => span.CreatedAt));
        var end = Earlier(Earlier(query.To ?? EndOfTime, before.Time), mine.Max(span => span.LastActivityAt)) + Duration.FromTicks(10);
        if (query.To is { } to)
            end = Earlier(end, to);
        for (var length = Duration.FromDays(1); end > first && hits.Count <= query.Limit; length *= hits.Count == 0 ? 16 : 4)
        {
            var start = end - first > length ? end - length : first;
            var active = mine.Where(span => span.LastActivityAt >= start && span.CreatedAt < end).Select(span => span.Id).ToArray();
            if (active.Length > 0)
                hits.AddRange(await ReadAsync(active, start, end, query.Limit + 1 - hits.Count));
            end = start;
        }
        return hits;

        Task<List<MessageKey>> ReadAsync(Guid[] conversations, Instant start, Instant until, int take) => session.QueryBatchAsync(
            PlanSql + ";" + HitsSql,
            new
            {
                ConversationIds = conversations,
                Query = string.Join(" & ", terms.Select(term => term.Query)),
                Start = start,
                End = until,
                BeforeTime = before.Time,
                BeforeId = before.Id,
                SenderId = query.SenderId?.Value,
                UserId = user.Value,
                Take = take,
            },
            async grid =>
            {
                await grid.ReadAsync<string>();
                return (List<MessageKey>)[.. await grid.ReadAsync<MessageKey>()];
            },
            ct);
    }

    private static Instant Earlier(Instant one, Instant other) => one < other ? one : other;

    private static Instant Later(Instant one, Instant other) => one > other ? one : other;

    /// <summary>A conversation, and when it had messages.</summary>
    private sealed record Span(Guid Id, Instant CreatedAt, Instant LastActivityAt);

    /// <summary>The hit that a page goes on after.</summary>
    private sealed record Before(Instant Time, Guid Id)
    {
        public string Encode() => PageCursor.Encode(Time.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), Id.ToString());

        public static Before Decode(string cursor)
        {
            var parts = PageCursor.Decode(cursor, 2);
            return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                && ticks <= EndOfTime.ToUnixTimeTicks() && Guid.TryParse(parts[1], out var id)
                ? new Before(Instant.FromUnixTimeTicks(ticks), id)
                : throw PageCursor.Malformed();
        }
    }
}
