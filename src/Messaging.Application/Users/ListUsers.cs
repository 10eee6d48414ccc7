using FluentValidation;
using MediatR;
using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>The profiles of those among up to 100 ids that there are, in the order of the ids asked for.</summary>
/// <param name="Ids">As given: <c>a,b</c>.</param>
public sealed record ListUsers(Actor Actor, string? Ids) : IQuery<Page<UserProfile>>
{
    internal string[] Split() => (Ids ?? "").Split(',');
}

public sealed class ListUsersValidator : AbstractValidator<ListUsers>
{
    public ListUsersValidator() =>
        RuleFor(r => r.Ids)
            .Must((query, _) => query.Split() is { Length: <= 100 } ids && ids.All(UserId.IsValid))
            .WithMessage("1 to 100 user ids with commas between them are expected.");
}

public sealed class ListUsersHandler(DbSession session, AccountSettings accounts) : IRequestHandler<ListUsers, Page<UserProfile>>
{
    // pk_users.
    private const string UsersSql =
        $"""
        SELECT {ProfileSql.Columns}
        FROM users AS u
        WHERE u.id = ANY(@Ids)
        """;

    public async Task<Page<UserProfile>> Handle(ListUsers query, CancellationToken ct)
    {
        var ids = query.Split().Distinct().ToArray();
        var found = (await session.QueryAsync<UserProfile>(UsersSql, new { Ids = ids }, ct)).ToDictionary(u => u.UserId.Value);
        var shown = ids.Where(found.ContainsKey).Select(id => found[id].For(query.Actor, accounts));
        return new Page<UserProfile>([.. shown], NextCursor: null);
    }
}
