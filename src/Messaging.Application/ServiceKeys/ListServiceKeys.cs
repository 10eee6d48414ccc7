using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.ServiceKeys;
using NodaTime;

namespace Messaging.Application.ServiceKeys;

/// <summary>All keys, revoked ones included, by id. Without their secrets, which nobody has.</summary>
/// <param name="Cursor">The id after which the page starts.</param>
public sealed record ListServiceKeys(int Limit, string? Cursor) : IQuery<Page<ServiceKeySummary>>;

public sealed record ServiceKeySummary(string Id, string Name, IReadOnlyList<Scope> Scopes, Instant CreatedAt, Instant? RevokedAt);

public sealed class ListServiceKeysValidator : AbstractValidator<ListServiceKeys>
{
    public ListServiceKeysValidator() =>
        RuleFor(r => r.Limit).InclusiveBetween(1, 100).WithMessage("A number from 1 to 100 is expected.");
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
        LIMIT @Limit + 1
        """;

    private sealed record KeyRow(string Id, string Name, string[] Scopes, Instant CreatedAt, Instant? RevokedAt);

    public async Task<Page<ServiceKeySummary>> Handle(ListServiceKeys query, CancellationToken ct)
    {
        var rows = await session.QueryAsync<KeyRow>(KeysSql, new { After = query.Cursor ?? "", query.Limit }, ct);
        var items = rows.Take(query.Limit)
            .Select(row => new ServiceKeySummary(row.Id, row.Name, ScopeNames.ParseKnown(row.Scopes), row.CreatedAt, row.RevokedAt))
            .ToList();
        return new Page<ServiceKeySummary>(items, rows.Count > query.Limit ? items[^1].Id : null);
    }
}
