using FluentValidation;
using MediatR;
using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>All webhooks in the order of their creation, without their secrets.</summary>
public sealed record ListWebhooks(int Limit, string? Cursor) : IQuery<Page<WebhookView>>;

public sealed class ListWebhooksValidator : AbstractValidator<ListWebhooks>
{
    public ListWebhooksValidator() =>
        RuleFor(r => r.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListWebhooksHandler(DbSession session) : IRequestHandler<ListWebhooks, Page<WebhookView>>
{
    // pk_webhooks.
    private const string PageSql =
        $"""
        SELECT {WebhookStore.Columns}
        FROM webhooks
        WHERE id > @After
        ORDER BY id
        LIMIT @Take
        """;

    public async Task<Page<WebhookView>> Handle(ListWebhooks query, CancellationToken ct)
    {
        var after = query.Cursor is null ? Guid.Empty
            : Guid.TryParseExact(PageCursor.Decode(query.Cursor, 1)[0], "D", out var id) ? id : throw PageCursor.Malformed();
        var rows = await session.QueryAsync<StoredWebhook>(PageSql, new { After = after, Take = query.Limit + 1 }, ct);
        return Page.Of([.. rows.Select(row => row.ToView())], query.Limit, webhook => PageCursor.Encode(webhook.Id.ToString()));
    }
}
