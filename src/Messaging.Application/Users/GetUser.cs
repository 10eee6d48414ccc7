using MediatR;
using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>One profile. Every user's is visible to every other.</summary>
public sealed record GetUser(Actor Actor, UserId UserId) : IQuery<UserProfile>;

public sealed class GetUserHandler(DbSession session, AccountSettings accounts) : IRequestHandler<GetUser, UserProfile>
{
    // pk_users.
    private const string UserSql =
        $"""
        SELECT {ProfileSql.Columns}
        FROM users AS u
        WHERE u.id = @UserId
        """;

    public async Task<UserProfile> Handle(GetUser query, CancellationToken ct)
    {
        var profile = await session.QuerySingleOrDefaultAsync<UserProfile>(UserSql, new { UserId = query.UserId.Value }, ct);
        return profile?.For(query.Actor, accounts) ?? throw CommonErrors.NotFound();
    }
}
