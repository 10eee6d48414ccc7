using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>One profile. Every user's is visible to every other.</summary>
public sealed record GetUser(UserId UserId) : IQuery<UserProfile>;

public sealed class GetUserHandler(DbSession session) : IRequestHandler<GetUser, UserProfile>
{
    // pk_users.
    private const string UserSql =
        """
        SELECT id AS user_id, display_name, first_name, last_name, avatar_url, metadata, created_at, updated_at
        FROM users
        WHERE id = @UserId
        """;

    public async Task<UserProfile> Handle(GetUser query, CancellationToken ct) =>
        await session.QuerySingleOrDefaultAsync<UserProfile>(UserSql, new { UserId = query.UserId.Value }, ct)
        ?? throw CommonErrors.NotFound();
}
