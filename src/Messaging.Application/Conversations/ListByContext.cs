using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>For the service: all conversations about something of the host's, the oldest first.</summary>
public sealed record ListByContext(Actor Actor, ConversationContext? Context, string? Cursor, int Limit) : IQuery<Page<ConversationView>>;

public sealed class ListByContextValidator : AbstractValidator<ListByContext>
{
    public ListByContextValidator()
    {
        RuleFor(q => q.Context).NotNull().WithErrorCode(ProblemCodes.UserNeeded)
            .WithMessage("Without a user, conversations are listed by context.");
        RuleFor(q => q.Context).ValidContextParameter();
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
    }
}

public sealed class ListByContextHandler(DbSession session, ConversationViewStore views)
    : IRequestHandler<ListByContext, Page<ConversationView>>
{
    // Index: ix_conversations_context.
    private const string PageSql =
        $"""
        SELECT {ConversationViewStore.Columns}
        FROM conversations c
        LEFT JOIN participants p ON false
        WHERE c.context_type = @Type AND c.context_id = @Id AND c.id > @After
        ORDER BY c.id
        LIMIT @Take
        """;

    public async Task<Page<ConversationView>> Handle(ListByContext query, CancellationToken ct)
    {
        if (!query.Actor.IsService)
            throw CommonErrors.NotFound();
        var after = query.Cursor is null ? Guid.Empty
            : Guid.TryParse(PageCursor.Decode(query.Cursor, 1)[0], out var id) ? id : throw PageCursor.Malformed();
        var rows = await session.QueryAsync<ConversationViewStore.Row>(
            PageSql, new { query.Context!.Type, query.Context.Id, After = after, Take = query.Limit + 1 }, ct);
        var page = Page.Of(rows, query.Limit, row => PageCursor.Encode(row.Id.ToString()));
        return new Page<ConversationView>(await views.ViewAsync(page.Items, query.Actor, ct), page.NextCursor);
    }
}
