using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.ServiceKeys;
using NodaTime;

namespace Messaging.Application.ServiceKeys;

/// <summary>All keys, revoked ones included, by id. Without their secrets, which nobody has.</summary>
public sealed record ListServiceKeys(int Limit, string? Cursor) : IQuery<Page<ServiceKeySummary>>;

public sealed record ServiceKeySummary(string Id, string Name, IReadOnlyList<Scope> Scopes, Instant CreatedAt, Instant? RevokedAt);

public sealed class ListServiceKeysValidator : AbstractValidator<ListServiceKeys>
{
    public ListServiceKeysValidator() =>
        RuleFor(r => r.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListServiceKeysHandler(DbSession session) : IRequestHandler<ListServiceKeys, Page<ServiceKeySummary>>
{
    // pk_service_keys.
    private const string KeysSql =
        """
        SELECT id, name, scopes, created_at, revoked_at
        FROM service_keys
        WHERE id > @After
        ORDER BY id
        LIMIT @Take
        """;

    private sealed record KeyRow(string Id, string Name, string[] Scopes, Instant CreatedAt, Instant? RevokedAt);

    public async Task<Page<ServiceKeySummary>> Handle(ListServiceKeys query, CancellationToken ct)
    {
        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        if (after.Length > 0 && !ServiceKey.IsValidId(after))
            throw PageCursor.Malformed();
        var rows = await session.QueryAsync<KeyRow>(KeysSql, new { After = after, Take = query.Limit + 1 }, ct);
        var page = Page.Of(rows, query.Limit, row => PageCursor.Encode(row.Id));
        return new Page<ServiceKeySummary>(
            [.. page.Items.Select(
                row => new ServiceKeySummary(row.Id, row.Name, ScopeNames.ParseKnown(row.Scopes), row.CreatedAt, row.RevokedAt))],
            page.NextCursor);
    }
}
