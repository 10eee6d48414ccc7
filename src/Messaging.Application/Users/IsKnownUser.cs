using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>Whether there is such a user.</summary>
public sealed record IsKnownUser(UserId UserId) : IQuery<bool>;

public sealed class IsKnownUserHandler(DbSession session) : IRequestHandler<IsKnownUser, bool>
{
    // pk_users.
    private const string ExistsSql =
        """
        SELECT EXISTS (SELECT 1 FROM users WHERE id = @UserId)
        """;

    public Task<bool> Handle(IsKnownUser query, CancellationToken ct) =>
        session.QuerySingleAsync<bool>(ExistsSql, new { UserId = query.UserId.Value }, ct);
}
