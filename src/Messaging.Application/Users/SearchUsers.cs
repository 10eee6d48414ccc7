using FluentValidation;
using MediatR;
using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Application.Search;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>Users in whose names every word of the text begins some word, or whose username begins with the text, by id.</summary>
/// <param name="Q">1 to 200 characters, at most 16 words. Text without a letter or digit is in nobody's name.</param>
/// <param name="ServiceKeyId">The key with which the service asks.</param>
public sealed record SearchUsers(Actor Actor, string? Q, int Limit, string? Cursor, string? ServiceKeyId = null)
    : IQuery<Page<UserProfile>>;

public sealed class SearchUsersValidator : AbstractValidator<SearchUsers>
{
    public SearchUsersValidator()
    {
        RuleFor(r => r.Q)
            .Must(q => q is { Length: > 0 } && StrictText.Length(q) <= 200 && StrictText.IsStorable(q))
            .WithMessage("A text of 1 to 200 characters is expected.");
        RuleFor(r => r.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
    }
}

public sealed class SearchUsersHandler(DbSession session, SearchLane lane, AccountSettings accounts)
    : IRequestHandler<SearchUsers, Page<UserProfile>>
{
    // The text is cut into words as the names were, each word once.
    private const string WordsSql =
        """
        SELECT lexeme
        FROM unnest(to_tsvector('simple', @Q))
        """;

    // ix_users_name: each word is the beginning of one of a name. Behind a SELECT, so that no plan takes the words for common ones.
    // pk_blocks: who has blocked whom do not find each other.
    // uq_accounts_username: a range, which a plan that was made without the text serves, too; { comes after all that a username has.
    private const string SearchSql =
        $$"""
        WITH found AS (
            (
                SELECT id
                FROM users
                WHERE to_tsvector('simple', coalesce(display_name, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
                    @@ (SELECT @Query::tsquery)
                    AND id > @After
                    AND NOT EXISTS (SELECT FROM blocks AS b WHERE b.user_id = @UserId AND b.blocked_id = id)
                    AND NOT EXISTS (SELECT FROM blocks AS b WHERE b.user_id = id AND b.blocked_id = @UserId)
                ORDER BY id
                LIMIT @Take
            )
            UNION
            (
                SELECT user_id
                FROM accounts
                WHERE lower(username) >= @Username AND lower(username) < @Username || '{' AND user_id > @After
                    AND NOT EXISTS (SELECT FROM blocks AS b WHERE b.user_id = @UserId AND b.blocked_id = accounts.user_id)
                    AND NOT EXISTS (SELECT FROM blocks AS b WHERE b.user_id = accounts.user_id AND b.blocked_id = @UserId)
                ORDER BY user_id
                LIMIT @Take
            )
        )
        SELECT {{ProfileSql.Columns}}
        FROM found AS f
        JOIN users AS u ON u.id = f.id
        ORDER BY u.id
        LIMIT @Take
        """;

    public Task<Page<UserProfile>> Handle(SearchUsers query, CancellationToken ct) =>
        lane.RunAsync(query.Actor, query.ServiceKeyId, session, token => SearchAsync(query, token), ct);

    private async Task<Page<UserProfile>> SearchAsync(SearchUsers query, CancellationToken ct)
    {
        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        if (after.Length > 0 && !UserId.IsValid(after))
            throw PageCursor.Malformed();
        var words = await session.QueryAsync<string>(WordsSql, new { query.Q }, ct);
        var terms = words.ConvertAll(word => new SearchTerm([word], IsOpen: true));
        SearchTerm.EnsureFew(terms);
        var rows = await session.QueryAsync<UserProfile>(
            SearchSql,
            new
            {
                UserId = query.Actor.UserId?.Value,
                Query = terms.Count == 0 ? null : string.Join(" & ", terms.Select(term => term.Query)),
                Username = query.Q!.ToLowerInvariant(),
                After = after,
                Take = query.Limit + 1,
            },
            ct);
        var shown = rows.ConvertAll(user => user.For(query.Actor, accounts));
        return Page.Of(shown, query.Limit, user => PageCursor.Encode(user.UserId.Value));
    }
}
