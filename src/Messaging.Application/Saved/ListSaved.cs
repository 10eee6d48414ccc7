using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Saved;

/// <summary>The messages that the user has saved in all conversations, last saved first.</summary>
public sealed record ListSaved(Actor Actor, string? Cursor, int Limit) : IQuery<Page<SavedView>>;

public sealed class ListSavedValidator : AbstractValidator<ListSaved>
{
    public ListSavedValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListSavedHandler(DbSession session, MessageReader messages) : IRequestHandler<ListSaved, Page<SavedView>>
{
    // Only keys and times: the messages are read afterwards. Index: ix_saved_messages_newest, from the cursor on;
    // pk_conversations, pk_participants, pk_message_hidden.
    private const string ListSql =
        $"""
        SELECT m.conversation_id, m.seq, m.sent_at AS created_at, m.saved_at
        FROM saved_messages m
        JOIN conversations c ON c.id = m.conversation_id
        JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = m.user_id AND {VisibilitySql.TakesPart}
        WHERE m.user_id = @UserId AND (m.saved_at, m.conversation_id, m.seq) < (@BeforeTime, @BeforeId, @BeforeSeq) AND {VisibilitySql.Seen}
        ORDER BY m.saved_at DESC, m.conversation_id DESC, m.seq DESC
        LIMIT @Take
        """;

    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public async Task<Page<SavedView>> Handle(ListSaved query, CancellationToken ct)
    {
        var user = query.Actor.RequireUser();
        var (time, id, seq) = query.Cursor is null ? (EndOfTime, Guid.AllBitsSet, long.MaxValue) : Decode(query.Cursor);
        var rows = await session.QueryAsync<Row>(
            ListSql, new { UserId = user.Value, BeforeTime = time, BeforeId = id, BeforeSeq = seq, Take = query.Limit + 1 }, ct);

        var page = Page.Of(rows, query.Limit, Encode);
        var places = page.Items.Select(row => new MessageKey(row.ConversationId, row.Seq, row.CreatedAt));
        var views = (await messages.ListAsync([.. places], query.Actor, ct)).ToDictionary(view => (view.ConversationId, view.Seq));
        // Leaves out what was deleted, cleared or unsaved after the rows were read.
        return new Page<SavedView>(
            [
                .. from row in page.Items
                   let view = views.GetValueOrDefault((row.ConversationId, row.Seq))
                   where view?.Saved is true
                   select new SavedView(view, row.SavedAt),
            ],
            page.NextCursor);
    }

    private static string Encode(Row row) => PageCursor.Encode(
        row.SavedAt.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), row.ConversationId.Value.ToString(),
        row.Seq.ToString(CultureInfo.InvariantCulture));

    private static (Instant Time, Guid Id, long Seq) Decode(string cursor)
    {
        var parts = PageCursor.Decode(cursor, 3);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= EndOfTime.ToUnixTimeTicks() && Guid.TryParse(parts[1], out var id)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? (Instant.FromUnixTimeTicks(ticks), id, seq)
            : throw PageCursor.Malformed();
    }

    private sealed record Row(ConversationId ConversationId, long Seq, Instant CreatedAt, Instant SavedAt);
}
