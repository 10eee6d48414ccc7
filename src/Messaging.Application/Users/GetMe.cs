using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Users;

/// <summary>Your own profile and the limits in force.</summary>
public sealed record GetMe(UserId UserId) : IQuery<Me>;

public sealed class GetMeHandler(DbSession session, LimitSettings limits, PolicySettings policies) : IRequestHandler<GetMe, Me>
{
    // pk_users.
    private const string UserSql =
        $"""
        SELECT {ProfileSql.Columns}
        FROM users AS u
        WHERE u.id = @UserId;

        SELECT {OwnPreferences.Columns}
        FROM users AS u
        WHERE u.id = @UserId
        """;

    public async Task<Me> Handle(GetMe query, CancellationToken ct)
    {
        var (profile, preferences) = await session.QueryBatchAsync(
            UserSql,
            new { UserId = query.UserId.Value },
            async grid => (await grid.ReadSingleOrDefaultAsync<UserProfile>(), await grid.ReadSingleOrDefaultAsync<OwnPreferences>()),
            ct);
        return new Me(profile ?? throw CommonErrors.NotFound(), preferences!, new Limits(limits), policies);
    }
}
