using System.Buffers.Text;
using System.Text;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>Users in whose names every word of the text begins some word, by id.</summary>
/// <param name="Q">1 to 200 characters. Text without a letter or digit finds nobody.</param>
public sealed record SearchUsers(string? Q, int Limit, string? Cursor) : IQuery<Page<UserProfile>>
{
    internal UserId? After =>
        Cursor is not null && Base64Url.IsValid(Cursor)
        && UserId.TryParse(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Cursor)), provider: null, out var id)
            ? id
            : null;

    internal static string CursorAfter(UserId id) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(id.Value));
}

public sealed class SearchUsersValidator : AbstractValidator<SearchUsers>
{
    public SearchUsersValidator()
    {
        RuleFor(r => r.Q)
            .Must(q => q is { Length: > 0 } && StrictText.Length(q) <= 200 && StrictText.IsStorable(q))
            .WithMessage("A text of 1 to 200 characters is expected.");
        RuleFor(r => r.Limit).InclusiveBetween(1, 100).WithMessage("A number from 1 to 100 is expected.");
        RuleFor(r => r.Cursor)
            .Must((query, cursor) => cursor is null || query.After is not null)
            .WithMessage("The nextCursor of an earlier page is expected.");
    }
}

public sealed class SearchUsersHandler(DbSession session) : IRequestHandler<SearchUsers, Page<UserProfile>>
{
    // ix_users_name. The text is cut into words as the names were, and each word quoted for the query as a prefix.
    private const string SearchSql =
        """
        SELECT id AS user_id, display_name, first_name, last_name, avatar_url, metadata, created_at, updated_at
        FROM users
        WHERE to_tsvector('simple', coalesce(display_name, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
            @@ (
                SELECT string_agg('''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || ''':*', ' & ')::tsquery
                FROM unnest(to_tsvector('simple', @Q)) AS w
            )
            AND id > @After
        ORDER BY id
        LIMIT @Limit + 1
        """;

    public async Task<Page<UserProfile>> Handle(SearchUsers query, CancellationToken ct)
    {
        var rows = await session.QueryAsync<UserProfile>(
            SearchSql, new { query.Q, After = query.After?.Value ?? "", query.Limit }, ct);
        return rows.Count > query.Limit
            ? new Page<UserProfile>(rows[..query.Limit], SearchUsers.CursorAfter(rows[query.Limit - 1].UserId))
            : new Page<UserProfile>(rows);
    }
}
