using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Presence;

/// <summary>
/// Those of up to 200 users whose presence the actor may know of, in the order of the ids asked for; the service knows of everyone's.
/// </summary>
public sealed record GetLastSeen(Actor Actor, IReadOnlyList<string> Ids) : IQuery<IReadOnlyList<LastSeen>>
{
    public const int MaxIds = 200;
}

/// <summary>When somebody was last seen, as far as that is written; null for somebody never seen.</summary>
public sealed record LastSeen(UserId UserId, Instant? At);

public sealed class GetLastSeenValidator : AbstractValidator<GetLastSeen>
{
    public GetLastSeenValidator() =>
        RuleFor(q => q.Ids).Must(ids => ids.Count is >= 1 and <= GetLastSeen.MaxIds && ids.All(UserId.IsValid))
            .WithMessage("1 to 200 user ids are expected.");
}

public sealed class GetLastSeenHandler(DbSession session) : IRequestHandler<GetLastSeen, IReadOnlyList<LastSeen>>
{
    // Index: pk_users, and those of Related.
    private const string SeenSql =
        $"""
        SELECT pair.other_id AS user_id, pair.last_seen_at AS at
        FROM (
            SELECT @UserId::text AS viewer_id, id AS other_id, last_seen_at
            FROM users
            WHERE id = ANY(@Ids)
        ) AS pair
        WHERE @UserId::text IS NULL OR {Relations.Related}
        """;

    public async Task<IReadOnlyList<LastSeen>> Handle(GetLastSeen query, CancellationToken ct)
    {
        var ids = query.Ids.Distinct().ToArray();
        var found = (await session.QueryAsync<LastSeen>(SeenSql, new { UserId = query.Actor.UserId?.Value, Ids = ids }, ct))
            .ToDictionary(seen => seen.UserId.Value);
        return [.. ids.Where(found.ContainsKey).Select(id => found[id])];
    }
}
